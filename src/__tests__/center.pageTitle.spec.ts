/* eslint-disable jupyter/no-untranslated-string -- a title is what others write, not our text */
import { PageTitle } from '../center/pageTitle';

describe('PageTitle', () => {
  let title: PageTitle;

  /** Let the observers run. */
  const settle = () => new Promise(resolve => setTimeout(resolve));

  const becomes = async (text: string) => {
    await settle();
    expect(document.title).toBe(text);
  };

  beforeEach(() => {
    document.title = 'notes.ipynb';
    title = new PageTitle(document);
  });

  afterEach(() => title.dispose());

  it('puts the number before the title, and takes it away again', async () => {
    title.count = 3;
    await becomes('(3) notes.ipynb');
    title.count = 120;
    await becomes('(99+) notes.ipynb');
    title.count = 0;
    await becomes('notes.ipynb');
  });

  it('keeps the number while others write the title, or replace its element', async () => {
    title.count = 3;
    document.title = 'other.ipynb';
    await becomes('(3) other.ipynb');
    document.querySelector('title')!.remove();
    document.title = 'third.ipynb';
    await becomes('(3) third.ipynb');
    title.count = 0;
    await becomes('third.ipynb');
  });

  it('leaves a name that begins with a number of its own as it is', async () => {
    document.title = '(3) copies';
    title.count = 3;
    await becomes('(3) (3) copies');
    title.count = 0;
    await becomes('(3) copies');
  });

  it('knows a title again that somebody kept and brings back later', async () => {
    title.count = 3;
    await becomes('(3) notes.ipynb');
    const kept = document.title;
    document.title = 'Busy';
    title.count = 4;
    await becomes('(4) Busy');
    document.title = kept;
    await becomes('(4) notes.ipynb');
  });

  it('has the number alone where there is no title', async () => {
    document.title = '';
    title.count = 2;
    await becomes('(2)');
    title.count = 0;
    await becomes('');
  });

  it('does not fight for ever with somebody who does the same', async () => {
    let written = 0;
    const other = new MutationObserver(() => {
      if (!document.title.startsWith('*')) {
        written++;
        document.title = `*${document.title}`;
      }
    });
    other.observe(document.head, { childList: true, subtree: true });
    title.count = 3;
    await settle();
    other.disconnect();
    expect(written).toBeLessThan(50);
    expect(document.title).toContain('notes.ipynb');
  });

  it('is as others wrote it once it is given up', async () => {
    title.count = 3;
    title.dispose();
    await becomes('notes.ipynb');
    document.title = 'other.ipynb';
    await becomes('other.ipynb');
  });
});
