/**
 * The placement and the folding of toasts, for a page that shows one. Loaded with the first toast,
 * since most pages show none at their start.
 */
import '../../style/standing.css';

export { setDone } from './done';
export { ToastFolding } from './folding';
export { ToastPlacement } from './placement';
