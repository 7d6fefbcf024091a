/**
 * Recognizes our own toasts among JupyterLab's notifications: the center lists our messages as
 * rows, and shows JupyterLab's other notifications as those of this tab.
 */
import type { Notification as LabNotification } from '@jupyterlab/apputils';

/** The name under which a toast carries the id of its row; the id of the summary is empty. */
const MARK = 'jupyterlab_notify';

/**
 * Make the data by which a toast of ours is recognized.
 */
export function markToast(id: string): Record<string, string> {
  return { [MARK]: id };
}

/**
 * Tell if a notification of JupyterLab is a toast of ours.
 */
export function isOwnToast({
  options
}: LabNotification.INotification): boolean {
  const { data } = options;
  return typeof data === 'object' && data !== null && MARK in data;
}
