import plugin from '../index';

describe('jupyterlab_notify', () => {
  it('offers a plugin under its own prefix', () => {
    expect(plugin.id).toBe('jupyterlab_notify:placeholder');
  });
});
