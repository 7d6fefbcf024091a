/**
 * Watches the cells that are run in this tab, and tells of those that the user waits for, or that
 * took long while they looked elsewhere. Loaded with the first cell that is run.
 */
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type {
  INotebookTracker,
  Notebook,
  NotebookPanel
} from '@jupyterlab/notebook';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { followSettings, SETTINGS } from '../settings';
import type { INotifications } from '../tokens';
import { LIMITS } from '../wire';
import { CellRun } from './run';
import { type CellEnd, cellEnd, compose, type IReport } from './words';
import '../../style/cells.css';

/** JupyterLab's command that interrupts the kernel of the notebook in front. */
const INTERRUPT = 'notebook:interrupt-kernel';

/** The command by which a button goes to the cell. */
const GO_TO_CELL = 'jupyterlab-notify:go-to-cell';

/** The arguments of the command that waits for cells, as a JSON schema. */
export const ARGUMENTS = {
  type: 'object',
  properties: {
    of: {
      type: 'string',
      description:
        '“cell”: the active cell; the id of a panel: its notebook; none: the one in front.'
    }
  }
};

/** Time in minutes from which a run of cells is long, if the settings cannot be read. */
const DEFAULT_MINUTES = 5;

/** The class of a cell that the user waits for. */
const AWAITED = 'jp-mod-notifyAwaited';

/**
 * Watches all notebooks of a tab.
 */
export class CellWatcher {
  /**
   * Make a watcher.
   */
  constructor(options: CellWatcher.IOptions) {
    this._options = options;
    options.commands.commandExecuted.connect((_, { id }) => {
      const panel = id === INTERRUPT ? options.tracker.currentWidget : null;
      const watched = panel && this._watched.get(panel.content);
      if (watched) {
        watched.interrupted = watched.run;
      }
    });
    if (options.registry) {
      this._ready = followSettings(options.registry, SETTINGS, values => {
        const minutes = values.longCells;
        this._longMs =
          60_000 * (typeof minutes === 'number' ? minutes : DEFAULT_MINUTES);
      }).catch(reason => {
        console.warn('Cells are long after the default time.', reason);
      });
    }
  }

  /**
   * A cell is going to be run.
   */
  scheduled({ notebook, cell }: CellWatcher.IEvent, at: number): void {
    const watched = this._watch(notebook);
    const { model } = cell;
    if (!watched || cell.isDisposed || !model.sharedModel.source.trim()) {
      return;
    }
    const run = (watched.run = this._sweep(watched) ?? new CellRun(at));
    run.add(model.id);
    watched.cells.set(model.id, cell);
    watched.requests.set(
      model.id,
      (cell as any).outputArea?.future?.msg?.header.msg_id
    );
    watched.kernel = watched.panel.sessionContext.session?.kernel ?? null;
    this._follow(watched, cell);
  }

  /**
   * A cell was run, or could not be.
   */
  executed(
    { notebook, cell, success, error }: CellWatcher.IEvent,
    at: number
  ): void {
    const watched = this._watched.get(notebook);
    if (watched) {
      const end = cellEnd(success !== false, error);
      this._onEnd(watched, cell.model.id, end, at);
    }
  }

  /**
   * Show at a cell whether the user waits for it. It may be gone by now, and come back.
   */
  mark(panel: NotebookPanel, id: string): void {
    if (this._options.awaitedIn(panel).has(id)) {
      this._watch(panel.content);
    }
    this._mark(panel, Private.find(panel, id));
  }

  private _mark(panel: NotebookPanel, cell: Private.ICell | undefined): void {
    if (cell) {
      const isAwaited = this._options.awaitedIn(panel).has(cell.model.id);
      cell.node.classList.toggle(AWAITED, isAwaited);
    }
  }

  /**
   * Note when a cell is gone.
   */
  private _follow(watched: Private.IWatched, cell: Private.ICell): void {
    if (!this._followed.has(cell)) {
      this._followed.add(cell);
      const { id } = cell.model;
      cell.disposed.connect(() => {
        // A notebook that is closed disposes of its cells first.
        queueMicrotask(() => this._onGone(watched, id));
      });
    }
  }

  /**
   * A cell has ended.
   */
  private _onEnd(
    watched: Private.IWatched,
    id: string,
    end: CellEnd,
    at: number
  ): void {
    const { run } = watched;
    if (!run?.pending.includes(id)) {
      return;
    }
    const isAborted = end === 'skipped' && run.end === 'done';
    // Some kernels report a cell that the user interrupted as aborted though none before it failed,
    // or as done.
    if (isAborted || (end === 'done' && watched.interrupted === run)) {
      end = 'interrupted';
    }
    watched.interrupted = null;
    const tookMs = run.finish(id, end, at);
    const { awaited, cells } = watched;
    const cell = cells.get(id) ?? Private.find(watched.panel, id);
    cells.delete(id);
    const panelAwaited = awaited.has(watched.panel.id);
    const told = awaited.delete(id);
    if (told) {
      this._mark(watched.panel, cell);
      this._options.changed();
    }
    if (told && !(run.isOver && run.total > 1 && panelAwaited)) {
      watched.told.add(id);
      this._tell(watched, id, { end, tookMs, cells: { total: 1, done: 1 } });
    }
    if (run.isOver) {
      this._over(watched, run, run.end, at);
    }
  }

  /**
   * Find the state of a notebook, or begin one; null for a notebook that no panel shows.
   */
  private _watch(notebook: Notebook): Private.IWatched | null {
    let watched = this._watched.get(notebook) ?? null;
    if (!watched) {
      const panel = this._options.tracker.find(
        each => each.content === notebook
      );
      if (!panel) {
        return null;
      }
      const awaited = this._options.awaitedIn(panel);
      watched = {
        panel,
        awaited,
        run: null,
        cells: new Map(),
        requests: new Map(),
        lost: new Map(),
        interrupted: null,
        kernel: null,
        connection: null,
        hear: (_, args) => this._onMessage(known, args),
        told: new Set()
      };
      this._watched.set(notebook, watched);
      const { sessionContext } = panel;
      const known = watched;
      const become = (status: Kernel.Status) => {
        // A notebook that is closed loses its connection, but the kernel runs on.
        if (!sessionContext.isDisposed) {
          this._onStatus(known, status);
        }
      };
      sessionContext.statusChanged.connect((_, status) => become(status));
      sessionContext.kernelChanged.connect(() => become('terminating'));
      sessionContext.disposed.connect(() => {
        if (known.lost.size > 0) {
          this._listen(known);
        }
      });
      panel.content.model?.cells.changed.connect((_, { type, newValues }) => {
        if (type === 'add') {
          const ids = newValues.map(cell => cell.id);
          // The notebook may show them after this.
          queueMicrotask(() => this._onCame(known, ids));
        }
      });
      panel.disposed.connect(() => {
        // Of the cells that run, each is noted by itself.
        if (!known.run) {
          awaited.delete(panel.id);
        }
      });
    }
    return watched;
  }

  /**
   * End a run whose kernel is gone: its cells will report no end.
   */
  private _onStatus(watched: Private.IWatched, status: Kernel.Status): void {
    const { run } = watched;
    if (!run) {
      return;
    }
    const over = (end: IReport['end']) => {
      if (watched.run === run) {
        // The cell that was running.
        this._over(watched, run, end, Date.now(), run.pending[0]);
      }
    };
    if (status === 'autorestarting' || status === 'dead') {
      over('died');
    } else if (status === 'restarting' || status === 'terminating') {
      // For a kernel that died JupyterLab reports this first, and one of the above right after it.
      queueMicrotask(() => over('interrupted'));
    }
  }

  /**
   * Go on with a cell that was moved, deleted or closed with its notebook before its end. The user
   * still waits for it, since it may come back.
   */
  private _onGone(watched: Private.IWatched, id: string): void {
    const { run } = watched;
    if (!run?.pending.includes(id)) {
      return;
    }
    watched.cells.delete(id);
    const request = watched.requests.get(id);
    if (request) {
      watched.lost.set(request, id);
      this._listen(watched);
      return;
    }
    run.drop(id);
    if (run.isOver) {
      watched.run = null;
    }
  }

  /**
   * Show at cells that came whether the user waits for them: JupyterLab moves a cell by deleting it
   * and inserting a copy, and a deletion may be undone.
   */
  private _onCame(watched: Private.IWatched, ids: string[]): void {
    for (const id of ids.filter(id => watched.awaited.has(id))) {
      this.mark(watched.panel, id);
    }
  }

  /**
   * Wait for the kernel's replies about cells that are gone: JupyterLab no longer does.
   */
  private _listen(watched: Private.IWatched): void {
    const { sessionContext } = watched.panel;
    if (!sessionContext.isDisposed) {
      // Connecting the same function again changes nothing.
      sessionContext.session?.anyMessage.connect(watched.hear);
      return;
    }
    // The notebook was closed. The kernel runs on, and keeps the replies for the same client.
    const { kernel } = watched;
    if (kernel && !watched.connection) {
      const { clientId } = kernel;
      const connection = (watched.connection = kernel.clone({ clientId }));
      connection.anyMessage.connect(watched.hear);
      connection.statusChanged.connect((_, status) =>
        this._onStatus(watched, status)
      );
      connection.connectionStatusChanged.connect((_, status) => {
        if (status === 'disconnected') {
          this._onStatus(watched, 'terminating');
        }
      });
    }
  }

  /**
   * Note the kernel's reply about a cell that is gone.
   */
  private _onMessage(
    watched: Private.IWatched,
    { direction, msg }: Kernel.IAnyMessageArgs
  ): void {
    const { msg_id } = msg.parent_header as Partial<KernelMessage.IHeader>;
    const id = msg_id && watched.lost.get(msg_id);
    if (
      !id ||
      direction !== 'recv' ||
      msg.header.msg_type !== 'execute_reply'
    ) {
      return;
    }
    watched.lost.delete(msg_id);
    const { status, ...error } =
      msg.content as KernelMessage.IReplyErrorContent;
    const end = cellEnd((status as string) === 'ok', {
      message: 'KernelReplyNotOK',
      errorName: error.ename,
      errorValue: error.evalue,
      traceback: error.traceback
    });
    this._onEnd(watched, id, end, Date.now());
  }

  /**
   * Drop the cells that JupyterLab gave up without an event; return the run if any cell is left.
   */
  private _sweep(watched: Private.IWatched): CellRun | null {
    const { run, cells } = watched;
    for (const [id, cell] of cells) {
      const future = (cell as any).outputArea?.future;
      if (cell.isDisposed || future?.isDisposed) {
        run?.drop(id);
        cells.delete(id);
      }
    }
    if (run?.isOver) {
      watched.run = null;
    }
    return watched.run;
  }

  private _over(
    watched: Private.IWatched,
    run: CellRun,
    end: IReport['end'],
    at: number,
    cell = run.cell
  ): void {
    const { changed } = this._options;
    const { awaited, panel, told } = watched;
    watched.run = null;
    watched.told = new Set();
    // The cells that will report no end.
    const left = run.pending.filter(id => awaited.delete(id));
    left.forEach(id => this._mark(panel, watched.cells.get(id)));
    watched.cells.clear();
    watched.requests.clear();
    watched.lost.clear();
    watched.connection?.dispose();
    watched.connection = null;
    const asked = awaited.delete(panel.id) || left.length > 0;
    if (asked) {
      changed();
    }
    const elsewhere = document.hidden || !panel.isVisible;
    const tookMs = at - run.began;
    void this._ready.then(() => {
      const long =
        this._longMs > 0 && (end === 'died' || tookMs >= this._longMs);
      if ((asked || (long && elsewhere)) && !told.has(cell)) {
        this._tell(watched, cell, { end, tookMs, cells: run });
      }
    });
  }

  private _tell(
    { panel }: Private.IWatched,
    cellId: string,
    report: Omit<IReport, 'name'>
  ): void {
    const { commands, sender, trans } = this._options;
    const { path } = panel.context;
    const name = PathExt.basename(path);
    const { type, message } = compose({ ...report, name }, trans);
    const label = trans.__('Go to cell');
    const args = { path, cellId };
    sender
      .emit(message, {
        type,
        source: [...name].slice(0, LIMITS.source).join(''),
        actions: [{ label, commandId: GO_TO_CELL, args }]
      })
      .catch(reason => {
        // This tab can show the message without the server.
        console.warn('The server was not told that cells are done.', reason);
        Notification.emit(message, type, {
          autoClose: false,
          actions: [
            { label, callback: () => void commands.execute(GO_TO_CELL, args) }
          ]
        });
      });
  }

  private readonly _options: CellWatcher.IOptions;
  private readonly _watched = new WeakMap<Notebook, Private.IWatched>();
  /** The cells whose deletion is noticed. */
  private readonly _followed = new WeakSet<Private.ICell>();
  private _longMs = 60_000 * DEFAULT_MINUTES;
  private _ready: Promise<void> = Promise.resolve();
}

/**
 * The namespace of what a {@link CellWatcher} is given.
 */
export namespace CellWatcher {
  /**
   * An event of a cell, as JupyterLab gives it.
   */
  export interface IEvent {
    notebook: Notebook;
    cell: Private.ICell;
    success?: boolean;
    error?: Parameters<typeof cellEnd>[1];
  }

  /**
   * The options of a watcher.
   */
  export interface IOptions {
    /** The ids of the panels and cells of a notebook that the user waits for. */
    awaitedIn(panel: NotebookPanel): Set<string>;
    /** Tell that these ids changed. */
    changed(): void;
    commands: CommandRegistry;
    /** The settings, in which the user says how long a cell must run. */
    registry: ISettingRegistry | null;
    sender: Pick<INotifications, 'emit'>;
    tracker: Pick<INotebookTracker, 'currentWidget' | 'find'>;
    trans: TranslationBundle;
  }
}

namespace Private {
  /** A cell of a notebook. */
  export type ICell = Notebook['widgets'][number];

  /** A notebook in which a cell was run. */
  export interface IWatched {
    panel: NotebookPanel;
    /** The ids of the panels and cells that the user waits for. */
    awaited: Set<string>;
    run: CellRun | null;
    /** The cells of the run that are left. */
    cells: Map<string, Private.ICell>;
    /** The messages by which the kernel was asked to run them, by their ids. */
    requests: Map<string, string | undefined>;
    /** The ids of cells that are gone, by the messages that the kernel has yet to reply to. */
    lost: Map<string, string>;
    /** The run whose present cell the user has interrupted. */
    interrupted: CellRun | null;
    /** The kernel that runs the cells. */
    kernel: Kernel.IKernelConnection | null;
    /** A connection to it once the notebook is closed. */
    connection: Kernel.IKernelConnection | null;
    /** Hears the kernel's messages. */
    hear(sender: unknown, args: Kernel.IAnyMessageArgs): void;
    /** The cells of the run whose end was told. */
    told: Set<string>;
  }

  /** Find a cell by its id; it is another object after it was moved. */
  export function find(panel: NotebookPanel, id: string): ICell | undefined {
    return panel.content.widgets?.find(
      cell => !cell.isDisposed && cell.model.id === id
    );
  }
}
