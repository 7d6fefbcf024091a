/**
 * A central service for the browser tests: the process of tests/support/central_server.py, which speaks the
 * recorded wire.
 */
import { type ChildProcess, spawn } from 'child_process';
import * as path from 'path';
import * as readline from 'readline';

const ROOT = path.resolve(__dirname, '..', '..');

/** A request that the service got. */
export interface IAsked {
  method: string;
  path: string;
  body: any;
  status: number;
}

/**
 * The service.
 */
export class Central {
  /** The address for a lab's configuration. */
  url = '';

  /** The configuration of a lab that asks it. */
  get config(): string {
    return [
      'import pathlib, tempfile',
      // The service accepts any token.
      '_token = pathlib.Path(tempfile.mkdtemp(dir=c.ServerApp.root_dir), "token")',
      '_token.write_text("a-token")',
      'c.NotifyApp.central_token_file = str(_token)',
      `c.NotifyApp.central_url = ${JSON.stringify(this.url)}`,
      'c.NotifyApp.central_interval = 1'
    ].join('\n');
  }

  /** Start it, and wait until it listens. */
  async start(): Promise<Central> {
    const child = spawn(
      'python',
      ['-m', 'tests.support.central_server', '--port', '0'],
      {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit']
      }
    );
    this._child = child;
    process.on('exit', this._onExit);
    this.url = await new Promise<string>((resolve, reject) => {
      readline.createInterface(child.stdout!).once('line', resolve);
      child.once('exit', () =>
        reject(new Error('The central service did not start.'))
      );
    });
    return this;
  }

  /** End it. */
  async stop(): Promise<void> {
    const child = this._child;
    this._child = null;
    process.off('exit', this._onExit);
    if (child && child.exitCode === null) {
      const ended = new Promise(resolve => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
  }

  /** Call `/control/…`: see tests/support/central_server.py. */
  async tell<T = any>(
    method: string,
    path: string,
    value?: unknown
  ): Promise<T> {
    const answer = await fetch(new URL(`/control/${path}`, this.url), {
      method,
      body: value === undefined ? undefined : JSON.stringify(value)
    });
    if (!answer.ok) {
      throw new Error(`${method} ${path}: ${answer.status}`);
    }
    return answer.json();
  }

  /** List the requests that it received, by a part of the path. */
  async requests(part: string): Promise<IAsked[]> {
    const all = await this.tell<IAsked[]>('GET', 'requests');
    return all.filter(one => one.path.includes(part));
  }

  private readonly _onExit = () => {
    this._child?.kill('SIGKILL');
  };

  private _child: ChildProcess | null = null;
}
