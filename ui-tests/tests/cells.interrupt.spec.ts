/**
 * What a user is told of a cell that they interrupted, with kernels that answer an interrupt each in
 * its own way.
 */
import type { Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import { ask, begin, cells, run } from './cellsPage';
import {
  expect,
  openNotebook,
  SETTINGS,
  test,
  toasts,
  untilKernel,
  useLab
} from './lab';
import { writeNotebook } from './notebookFile';

/**
 * A kernel of which each cell holds until it is interrupted, and then ends with that status. The
 * cell says when it has begun: a kernel that is busy may not hear interrupts yet.
 */
const KERNEL = `
import sys, time
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel


class Interrupted(Kernel):
    implementation = "interrupted"
    implementation_version = "1"
    language = "text"
    language_info = {"name": "text", "mimetype": "text/plain", "file_extension": ".txt"}
    banner = ""

    async def do_execute(self, code, *args, **kwargs):
        status = code.split()[0]
        until = time.monotonic() + (0 if status == "soon" else 60)
        begun = False
        while True:
            # An interrupt outside of this block would end the method without a reply.
            try:
                if not begun:
                    begun = True
                    self.say("begun")
                while time.monotonic() < until:
                    time.sleep(0.02)
                break
            except KeyboardInterrupt:
                if status != "nothing":
                    break
                self.say("not now")
        return {
            "status": "ok" if status == "soon" else status,
            "execution_count": self.execution_count,
            "payload": [],
            "user_expressions": {},
        }

    def say(self, text):
        self.send_response(self.iopub_socket, "stream", {"name": "stdout", "text": text})


IPKernelApp.launch_instance(kernel_class=Interrupted)
`;

const lab = useLab({ settings: { [SETTINGS]: { defaultAutoClose: 0 } } });
let page: Page;

test.beforeAll(async ({ browser }) => {
  const folder = path.join(path.dirname(lab.root), 'data', 'kernels', 'held');
  fs.mkdirSync(folder, { recursive: true });
  const script = path.join(folder, 'held.py');
  fs.writeFileSync(script, KERNEL);
  fs.writeFileSync(
    path.join(folder, 'kernel.json'),
    JSON.stringify({
      argv: ['python', script, '-f', '{connection_file}'],
      display_name: 'Held',
      language: 'text'
    })
  );
  page = await lab.open(browser);
});

test.afterEach(() => lab.dismissAll());

/** Open a notebook of these cells, which that kernel runs. */
async function notebook(name: string, sources: string[]): Promise<void> {
  const all = sources.map((source, index) => ({ id: `c${index}`, source }));
  writeNotebook(lab.root, name, all, 'held');
  await openNotebook(page, name);
  await untilKernel(page);
}

for (const status of ['ok', 'abort', 'aborted', 'error']) {
  test(`A kernel that answers an interrupt with “${status}” brings no success`, async () => {
    const name = `${status}.ipynb`;
    await notebook(name, [`${status} 1`, 'soon']);
    await ask(page, 0);
    await run(page, 0);
    await expect(cells(page).nth(0)).toContainText('begun');
    await begin(page, 'notebook:interrupt-kernel');
    await expect(
      toasts(page, new RegExp(`^${status}\\.ipynb: interrupted after`))
    ).toBeVisible();
    const [row] = await lab.list();
    expect(row.type).toBe('warning');
    // The next cell, which nobody interrupts, is done.
    await ask(page, 1);
    await run(page, 1);
    await expect(
      toasts(page, new RegExp(`^${status}\\.ipynb: done in`))
    ).toBeVisible();
  });
}

test('A kernel that goes on in spite of an interrupt brings no message until it is restarted', async () => {
  await notebook('nothing.ipynb', ['nothing 1', 'soon']);
  await ask(page, 0);
  await run(page, 0);
  await expect(cells(page).nth(0)).toContainText('begun');
  await begin(page, 'notebook:interrupt-kernel');
  await expect(cells(page).nth(0)).toContainText('not now');
  expect(await lab.list()).toEqual([]);
  await begin(page, 'notebook:restart-kernel');
  await page.locator('.jp-Dialog .jp-mod-accept').click();
  await expect(
    toasts(page, /^nothing\.ipynb: interrupted after/)
  ).toBeVisible();
});
