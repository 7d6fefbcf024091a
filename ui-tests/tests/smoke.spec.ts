import { expect, test } from '@jupyterlab/galata';

test('JupyterLab loads the extension', async ({ page }) => {
  const ours = await page.evaluate(() =>
    window.jupyterapp
      .listPlugins()
      .filter((id: string) => id.startsWith('jupyterlab_notify:'))
  );
  expect(ours.length).toBeGreaterThan(0);
});
