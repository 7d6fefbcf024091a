/**
 * Offers to undo a change at the foot of the page, wherever it was made. Loaded with the first such
 * change.
 */
import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';

import { locale } from '../text/locale';
import type { INotificationModel } from '../tokens';
import { UndoManager } from './undo';
import '../../style/snackbar.css';

/** Time in ms that the bar stays; it begins anew when the pointer or the focus leaves the bar. */
const STAYS_MS = 8000;

/**
 * Shows the last change of a manager while it can be undone.
 */
export class UndoSnackbar implements IDisposable {
  constructor(undo: UndoManager, trans: TranslationBundle) {
    this._undo = undo;
    const node = (this._node = document.createElement('div'));
    node.className = 'jp-NotifySnackbar-region jp-ThemedContainer';
    // A screen reader reads a text aloud only if its region was there before it.
    node.setAttribute('role', 'status');
    this._label.className = 'jp-NotifySnackbar-label';
    this._button.type = 'button';
    this._button.textContent = trans.__('Undo');
    this._button.addEventListener('click', () => void undo.undo());
    this._bar.className = 'jp-NotifySnackbar';
    this._bar.append(this._label, this._button);
    for (const held of ['mouseenter', 'focusin']) {
      this._bar.addEventListener(held, () => window.clearTimeout(this._timer));
    }
    for (const left of ['mouseleave', 'focusout']) {
      this._bar.addEventListener(left, () => this._wait());
    }
    document.body.append(node);
    undo.changed.connect(this._update, this);
  }

  /** The manager that makes the changes, and undoes them. */
  get undo(): UndoManager {
    return this._undo;
  }

  /** True once disposed. */
  get isDisposed(): boolean {
    return this._undo.isDisposed;
  }

  /** Remove the bar from the page. */
  dispose(): void {
    window.clearTimeout(this._timer);
    this._undo.dispose();
    this._node.remove();
  }

  private _update(): void {
    const label = this._undo.last?.label;
    window.clearTimeout(this._timer);
    if (label) {
      this._label.textContent = label;
      this._node.append(this._bar);
      this._wait();
    } else {
      this._bar.remove();
    }
  }

  private _wait(): void {
    window.clearTimeout(this._timer);
    this._timer = window.setTimeout(() => {
      if (!this._bar.matches(':hover, :focus-within')) {
        this._undo.forget();
      }
    }, STAYS_MS);
  }

  private readonly _undo: UndoManager;
  private readonly _node: HTMLElement;
  private readonly _bar = document.createElement('div');
  private readonly _label = document.createElement('bdi');
  private readonly _button = document.createElement('button');
  private _timer: number | undefined;
}

/** The bar of each model: a page has only one, wherever a change was made. */
const bars = new WeakMap<INotificationModel, UndoSnackbar>();

/**
 * Return the bar at the foot of the page, whose manager makes changes and which offers to undo
 * them; make it at the first call.
 */
export function undoOnPage(
  model: INotificationModel,
  trans: TranslationBundle
): UndoSnackbar {
  const there = bars.get(model);
  if (there) {
    return there;
  }
  const numbers = new Intl.NumberFormat(locale(document.documentElement.lang));
  const undo = new UndoManager({
    model,
    trans,
    format: count => numbers.format(count),
    began: () => undefined,
    failed: reason =>
      void showErrorMessage(
        trans.__('The notifications could not be changed'),
        reason as Error
      ),
    restored: () => undefined
  });
  const bar = new UndoSnackbar(undo, trans);
  bars.set(model, bar);
  return bar;
}
