/**
 * The placement, the folding and the closing of toasts, and the toast that sums up. Loaded with the
 * first toast, since most pages show none at their start.
 */
import '../../style/standing.css';

export { startTime } from './clock';
export { closeForAll } from './closing';
export { setDone } from './done';
export { ToastFolding } from './folding';
export { ToastPlacement } from './placement';
export { SummaryToast } from './summary';
