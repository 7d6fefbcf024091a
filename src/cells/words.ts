/**
 * The messages about cells that are done. They are the same as those of the client's `%%notify`, in
 * `client/jupyter_notify/magics.py`.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

/** The longest summary of an exception, in characters. */
const MOST = 500;

/** The longest name of a notebook, in characters: more of it would leave a toast no room. */
const MOST_OF_NAME = 60;

/** The names that kernels give to the exception by which an interrupt ends a cell. */
const INTERRUPTS =
  /^(KeyboardInterrupt|InterruptException|CancelledError|Interrupted?(Error|Exception)?)$/;

/** What Python says of a command that Ctrl-C has ended: by the signal, or as a shell tells of it. */
const ENDED_BY_CTRL_C = /(died with <Signals\.SIGINT: 2>|exit status 130)\.$/;

/** The escape sequences that set a terminal's colours. */
// eslint-disable-next-line no-control-regex -- tracebacks have colours, which begin with one
const COLOURS = /\u001b\[[0-9;]*[A-Za-z]/g;

/**
 * The end of one cell: it was done; skipped, since one before it had failed or was interrupted;
 * interrupted; or failed with an exception, of which this is the summary.
 */
export type CellEnd = 'done' | 'skipped' | 'interrupted' | { error: string };

/**
 * Find the end of a cell from JupyterLab's event.
 *
 * @param success - Whether it was run to its end.
 * @param error - The kernel's error otherwise; each kernel has its own habits.
 */
export function cellEnd(
  success: boolean,
  error?: {
    message?: string;
    errorName?: string;
    errorValue?: string;
    traceback?: string[];
  } | null
): CellEnd {
  if (success) {
    return 'done';
  }
  const name = oneLine(error?.errorName);
  const value = oneLine(error?.errorValue);
  if (
    INTERRUPTS.test(name) ||
    (name === 'CalledProcessError' && ENDED_BY_CTRL_C.test(value))
  ) {
    return 'interrupted';
  }
  if (name === 'SystemExit' && /^(0|None|)$/.test(value)) {
    return 'done';
  }
  if (name && value) {
    // Julia's value begins with the name.
    return { error: value.startsWith(name) ? value : `${name}: ${value}` };
  }
  if (name || value) {
    return { error: name || value };
  }
  if (error?.message?.startsWith('KernelReplyNotOK')) {
    // A cell that a kernel has aborted has neither a name nor a traceback.
    const last = error.traceback?.map(oneLine).filter(line => line !== '');
    return last?.length ? { error: last[last.length - 1] } : 'skipped';
  }
  return { error: oneLine(error?.message) };
}

/**
 * The content of a message about cells.
 */
export interface IReport {
  /** The notebook's name. */
  name: string;
  end: CellEnd | 'died';
  tookMs: number;
  /** The number of cells that were to be run, and of those that were. */
  cells: { total: number; done: number };
}

/**
 * Put a report into words, and choose the type of its notification.
 */
export function compose(
  { name: fullName, end, tookMs, cells: { total, done } }: IReport,
  trans: TranslationBundle
): { type: 'success' | 'warning' | 'error'; message: string } {
  const name = shortName(fullName);
  const took = duration(tookMs, trans);
  const type =
    end === 'done' ? 'success' : end === 'interrupted' ? 'warning' : 'error';
  if (end === 'done') {
    return {
      type,
      message:
        total > 1
          ? trans.__('%1: %2 cells done in %3', name, total, took)
          : trans.__('%1: done in %2', name, took)
    };
  }
  if (end === 'interrupted') {
    return {
      type,
      message: trans.__('%1: interrupted after %2', name, took)
    };
  }
  if (end === 'died') {
    return {
      type,
      message: trans.__('%1: the kernel died after %2', name, took)
    };
  }
  if (end === 'skipped') {
    return {
      type,
      message: trans.__(
        '%1: the cell was not run, because one before it did not succeed',
        name
      )
    };
  }
  // A kernel of a shell gives the exit code alone.
  const error = /^\d{1,3}$/.test(end.error)
    ? trans.__('exit code %1', end.error)
    : end.error;
  return {
    type,
    message:
      total > 1
        ? trans.__(
            '%1: failed after %2, %3 of %4 cells done: %5',
            name,
            took,
            done,
            total,
            error
          )
        : trans.__('%1: failed after %2: %3', name, took, error)
  };
}

/**
 * A duration in words.
 */
export function duration(ms: number, trans: TranslationBundle): string {
  const seconds = Math.max(ms, 0) / 1000;
  if (seconds < 10) {
    return trans.__('%1 s', seconds.toFixed(1));
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return trans.__('%1 s', whole);
  }
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return whole % 60
      ? trans.__('%1 min %2 s', minutes, whole % 60)
      : trans.__('%1 min', minutes);
  }
  const hours = Math.floor(minutes / 60);
  return minutes % 60
    ? trans.__('%1 h %2 min', hours, minutes % 60)
    : trans.__('%1 h', hours);
}

/**
 * Shorten a long name in its middle: numbers and dates are often at its end.
 */
function shortName(name: string): string {
  const characters = [...name];
  const half = MOST_OF_NAME / 2;
  return characters.length > MOST_OF_NAME
    ? `${characters.slice(0, half).join('')}…${characters.slice(1 - half).join('')}`
    : name;
}

/**
 * Return a text on one line that a server accepts and a user can read.
 */
function oneLine(text: string | undefined): string {
  const line = (text ?? '')
    // A kernel may send a text of any length.
    .slice(0, 10 * MOST)
    .replace(COLOURS, '')
    // A lone surrogate is half a character, which no encoding has.
    .replace(/\p{Cs}/gu, '\ufffd')
    .trim()
    .replace(/\s+/g, ' ');
  const characters = [...line];
  return characters.length > MOST
    ? `${characters.slice(0, MOST - 1).join('')}…`
    : line;
}
