/**
 * What a user calls the types of messages, wherever they are named.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Notification } from '../wire';

/** The types, in the order of menus and settings. */
export const TYPES: readonly Notification['type'][] = [
  'error',
  'warning',
  'success',
  'info',
  'in-progress',
  'default'
];

/**
 * What one message of a type is called.
 */
export function typeLabel(
  type: Notification['type'],
  trans: TranslationBundle
): string {
  return {
    error: trans.__('Error'),
    warning: trans.__('Warning'),
    success: trans.__('Success'),
    info: trans.__('Information'),
    'in-progress': trans.__('In progress'),
    default: trans.__('Message')
  }[type];
}

/**
 * What all messages of a type are called.
 */
export function typesLabel(
  type: Notification['type'],
  trans: TranslationBundle
): string {
  return {
    error: trans.__('Errors'),
    warning: trans.__('Warnings'),
    success: trans.__('Successes'),
    info: trans.__('Information'),
    'in-progress': trans.__('In progress'),
    default: trans.__('Other messages')
  }[type];
}
