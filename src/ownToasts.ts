/**
 * Which of JupyterLab's own notifications are toasts of ours: the center has their rows, and shows
 * the others as those of this tab.
 */
import type { Notification as LabNotification } from '@jupyterlab/apputils';

/** The name under which a toast carries the id of its row; it is empty for the one that sums up. */
const MARK = 'jupyterlab_notify';

/**
 * What a toast of ours carries.
 */
export function markToast(id: string): Record<string, string> {
  return { [MARK]: id };
}

/**
 * Whether a notification of JupyterLab is a toast of ours.
 */
export function isOwnToast({
  options
}: LabNotification.INotification): boolean {
  const { data } = options;
  return typeof data === 'object' && data !== null && MARK in data;
}
