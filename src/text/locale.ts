/**
 * The language in which times and numbers are written.
 */

/**
 * Return the language if this browser knows it, else undefined, for the browser's own; JupyterLab
 * writes `de_DE` and `default`.
 */
export function locale(language?: string): string | undefined {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(
      (language ?? '').replace('_', '-')
    )[0];
  } catch {
    return undefined;
  }
}
