/**
 * The names of the message types, as users see them.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { NOTIFICATION_TYPES, type NotificationType } from '../wire';

/** The types that stand last in menus and settings. */
const LAST: readonly NotificationType[] = ['in-progress', 'default'];

/** The types in the order of menus and settings: the most urgent first. */
export const TYPES: readonly NotificationType[] = [
  ...NOTIFICATION_TYPES.filter(type => !LAST.includes(type)).reverse(),
  ...LAST
];

/**
 * The name of one message of a type.
 */
export function typeLabel(
  type: NotificationType,
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
 * The name of all messages of a type.
 */
export function typesLabel(
  type: NotificationType,
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
