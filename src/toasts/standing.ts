/**
 * What the page needs once a toast stands on it: where toasts begin, and when they fold. It is
 * loaded with the first toast, since most pages show none at their start.
 */
import '../../style/standing.css';

export { setDone } from './done';
export { ToastFolding } from './folding';
export { ToastPlacement } from './placement';
