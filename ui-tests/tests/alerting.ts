/**
 * A site's alerting for the browser tests: an exporter, Debian's Prometheus, which asks it, and
 * Debian's Alertmanager, which tells the service.
 */
import { type ChildProcess, execFileSync, spawn } from 'child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'fs';
import * as http from 'http';
import type { AddressInfo } from 'net';
import { tmpdir } from 'os';
import * as path from 'path';

import { expect } from '@playwright/test';

import { freePort } from './ports';

/** Interval in seconds at which Prometheus asks the exporter, and evaluates its rules. */
export const INTERVAL_S = 1;

const RULES = `
groups:
  - name: home
    rules:
      - alert: HomeFull
        expr: home_used_percent > 90
        labels: {severity: warning}
        annotations:
          summary: "You use {{ $value }} % of your home directory"
          description: "Delete what you no longer need."
          banner: "true"
`;

export function hasAlerting(): boolean {
  try {
    for (const program of ['prometheus', 'prometheus-alertmanager']) {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
    }
    return true;
  } catch {
    return false;
  }
}

export class Alerting {
  /** The usage of each user, in percent. */
  values: Record<string, number> = {};
  /** Time at which the exporter was first asked since a value last changed. */
  asked: number | null = null;

  /** Start all three; the service is told with this token. */
  async start(service: string, token: string): Promise<void> {
    await new Promise<void>(resolve =>
      this._exporter.listen(0, '127.0.0.1', resolve)
    );
    const { port } = this._exporter.address() as AddressInfo;
    const alertmanager = `127.0.0.1:${await freePort()}`;
    const prometheus = `127.0.0.1:${await freePort()}`;
    const config = {
      alertmanager: this._file(
        'alertmanager.yml',
        `
route: {receiver: lab, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers:
  - name: lab
    webhook_configs:
      - url: ${service}/v1/alerts/alertmanager
        http_config: {authorization: {credentials: "${token}"}}
`
      ),
      prometheus: this._file(
        'prometheus.yml',
        `
global: {scrape_interval: ${INTERVAL_S}s, evaluation_interval: ${INTERVAL_S}s}
rule_files: [${this._file('rules.yml', RULES)}]
alerting:
  alertmanagers: [{static_configs: [{targets: ["${alertmanager}"]}]}]
scrape_configs:
  - job_name: home
    static_configs: [{targets: ["127.0.0.1:${port}"]}]
`
      )
    };
    await this._run('prometheus-alertmanager', alertmanager, [
      `--config.file=${config.alertmanager}`,
      `--storage.path=${path.join(this._folder, 'alertmanager')}`,
      '--cluster.listen-address='
    ]);
    const data = path.join(this._folder, 'data');
    mkdirSync(data);
    await this._run('prometheus', prometheus, [
      `--config.file=${config.prometheus}`,
      `--storage.tsdb.path=${data}`,
      '--rules.alert.resend-delay=1s'
    ]);
  }

  /** Have a user use so much from now on. */
  use(user: string, percent: number): void {
    this.values[user] = percent;
    this.asked = null;
  }

  async stop(): Promise<void> {
    for (const child of this._children) {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise(resolve => child.once('exit', resolve));
        child.kill();
        await ended;
      }
    }
    this._exporter.close();
    this._exporter.closeAllConnections();
    rmSync(this._folder, { recursive: true, force: true });
  }

  private async _run(
    program: string,
    address: string,
    options: string[]
  ): Promise<void> {
    this._children.push(
      spawn(program, [...options, `--web.listen-address=${address}`], {
        stdio: 'ignore'
      })
    );
    await expect
      .poll(
        () =>
          fetch(`http://${address}/-/ready`).then(
            answer => answer.status,
            () => 0
          ),
        { timeout: 60_000 }
      )
      .toBe(200);
  }

  private _file(name: string, text: string): string {
    writeFileSync(path.join(this._folder, name), text);
    return path.join(this._folder, name);
  }

  private _folder = mkdtempSync(path.join(tmpdir(), 'notify-alerting-'));
  private _children: ChildProcess[] = [];
  private _exporter = http.createServer((request, response) => {
    this.asked ??= Date.now();
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    for (const [user, value] of Object.entries(this.values)) {
      response.write(`home_used_percent{username="${user}"} ${value}\n`);
    }
    response.end();
  });
}
