/**
 * Checks what a user has filled in before it is sent, so that the form can say in words what is
 * wrong with which field.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { locale } from '../text/locale';
import { visible } from '../text/visible';
import { type IngestMessage, LIMITS } from '../wire';

/** The names of the fields that may be wrong. */
export type FieldName = 'message' | 'details' | 'label' | 'target';

/**
 * What is wrong with a form.
 */
export interface IProblem {
  /** A sentence. */
  text: string;
  /** The field that it is about; not given if it is about none. */
  field?: FieldName;
}

/** The number of a text's characters, as the server counts them. */
const characters = (text: string): number => [...text].length;

/**
 * Tell if a text is meant as the address of a page, or of a mailbox.
 */
export function isLink(text: string): boolean {
  return /^(https?|mailto):/i.test(text);
}

/**
 * Find what is wrong with a message; null if nothing is.
 *
 * @param message - The message.
 * @param hasCommand - Tells if there is a command with an id.
 * @param trans - The language.
 */
export function findProblem(
  message: IngestMessage,
  hasCommand: (id: string) => boolean,
  trans: TranslationBundle
): IProblem | null {
  const { format } = new Intl.NumberFormat(
    locale(document.documentElement.lang)
  );
  if (message.message.trim() === '') {
    return {
      field: 'message',
      text: trans.__('A notification needs a message.')
    };
  }
  const size = characters(message.message);
  if (size > LIMITS.message) {
    return {
      field: 'message',
      text: trans.__(
        'The message has %1 characters. It may have %2; the details have room for more.',
        format(size),
        format(LIMITS.message)
      )
    };
  }
  const bytes = new TextEncoder().encode(message.body ?? '').length;
  if (bytes > LIMITS.bodyBytes) {
    return {
      field: 'details',
      text: trans.__(
        'The details have %1 bytes. They may have %2.',
        format(bytes),
        format(LIMITS.bodyBytes)
      )
    };
  }
  const [button] = message.actions ?? [];
  const says = characters(button?.label ?? '');
  if (says > LIMITS.label) {
    return {
      field: 'label',
      text: trans.__(
        'The button says %1 characters. It may say %2.',
        format(says),
        format(LIMITS.label)
      )
    };
  }
  const target = button?.url ?? button?.commandId ?? '';
  if (target === '' || (isLink(target) ? isAddress : hasCommand)(target)) {
    return null;
  }
  const shown = visible(target.slice(0, LIMITS.label));
  return {
    field: 'target',
    text: isLink(target)
      ? trans.__('This is not a whole web or mail address: %1', shown)
      : trans.__(
          'This is neither an address, which begins with “https://”, nor a command of JupyterLab: %1',
          shown
        )
  };
}

/** Tell if a browser can open an address as it is, and the server takes it. */
function isAddress(url: string): boolean {
  try {
    const { hostname, pathname, protocol } = new URL(url);
    return (
      !/\s/.test(url) &&
      url.length <= LIMITS.url &&
      (protocol === 'mailto:' ? pathname : hostname) !== ''
    );
  } catch {
    return false;
  }
}
