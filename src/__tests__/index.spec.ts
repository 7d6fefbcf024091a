import { readdirSync } from 'fs';
import { resolve } from 'path';

import plugins from '..';

const ids = plugins.map(plugin => plugin.id);

describe('the plugins', () => {
  it('stand each for themselves, so that a site can disable one', () => {
    expect(new Set(ids).size).toBe(ids.length);
    for (const name of [
      'model',
      'actions',
      'toasts',
      'banner',
      'desktop',
      'welcome',
      'commands',
      'center'
    ]) {
      expect(ids).toContain(`jupyterlab_notify:${name}`);
    }
  });

  it('have each settings file named after one of them', () => {
    for (const file of readdirSync(resolve('schema')).filter(each =>
      each.endsWith('.json')
    )) {
      expect(ids).toContain(`jupyterlab_notify:${file.replace('.json', '')}`);
    }
  });
});
