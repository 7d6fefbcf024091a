/**
 * What a user does with the cells of the notebook in front.
 */
import type { Locator, Page } from '@playwright/test';

/** The cells of the notebook in front. */
export function cells(tab: Page): Locator {
  return tab.locator('.jp-NotebookPanel:visible .jp-CodeCell');
}

/** Ask for a cell, by its menu. */
export async function ask(tab: Page, index: number): Promise<void> {
  await cells(tab).nth(index).locator('.jp-InputArea-prompt').click({
    button: 'right'
  });
  await tab.getByRole('menuitem', { name: 'Notify When Done' }).click();
}

/** Run the cell that is active. */
export async function run(tab: Page, index: number): Promise<void> {
  await cells(tab).nth(index).locator('.jp-InputArea-prompt').click();
  await begin(tab, 'notebook:run-cell');
}

/** Begin a command, and do not wait until it is done. */
export async function begin(tab: Page, id: string): Promise<void> {
  await tab.evaluate(id => {
    void (window as any).jupyterapp.commands.execute(id);
  }, id);
}

/** Wait until the kernel of the notebook in front runs a cell. */
export async function untilBusy(tab: Page): Promise<void> {
  await tab.waitForFunction(() => {
    const panel = (window as any).jupyterapp.shell.currentWidget;
    return panel?.sessionContext?.session?.kernel?.status === 'busy';
  });
}
