import { MAX_TOAST_LENGTH, stripMarkdown, summarize } from '../text/plaintext';

describe('stripMarkdown', () => {
  it.each([
    ['**bold** and *it* and ~~gone~~', 'bold and it and gone'],
    ['__bold__ and _it_', 'bold and it'],
    ['***both*** **outer *inner* end**', 'both outer inner end'],
    ['snake_case_name and 2 * 3 * 4', 'snake_case_name and 2 * 3 * 4'],
    ['run `pip install **x**` now', 'run pip install **x** now'],
    ['[the docs](https://x.org/a_(b) "title") help', 'the docs help'],
    ['![a plot](plot.png)', 'a plot'],
    ['see <https://x.org/>', 'see https://x.org/'],
    ['\\*not\\* bold \\`code\\`', '*not* bold `code`'],
    ['## Title\n> quoted', 'Title\nquoted'],
    ['a <b onclick="x()">tag</b> &amp; 3 < 4', 'a tag & 3 < 4']
  ])('%s', (markdown, text) => {
    expect(stripMarkdown(markdown)).toBe(text);
  });

  it('is quick with marks that never close', () => {
    const began = process.cpuUsage();
    for (const mark of ['*a ', '`', '[', '__a', '<a', '![a](', '\\', '~~a ']) {
      stripMarkdown(mark.repeat(Math.floor(4096 / mark.length)));
    }
    expect(process.cpuUsage(began).user).toBeLessThan(1_000_000);
  });
});

describe('summarize', () => {
  it('leaves a short message as it is, marks and all', () => {
    expect(summarize('2 * 3 * 4 **', false)).toEqual({
      text: '2 * 3 * 4 **',
      cut: false
    });
  });

  it('leaves a message that just fits', () => {
    const message = 'x'.repeat(MAX_TOAST_LENGTH);
    expect(summarize(message, false)).toEqual({ text: message, cut: false });
  });

  it('cuts between words what JupyterLab would cut within', () => {
    const { text, cut } = summarize('disk quota '.repeat(400), false);
    expect(cut).toBe(true);
    expect(text).toMatch(/(disk|quota)…$/);
    expect(text.length).toBeLessThanOrEqual(MAX_TOAST_LENGTH);
    expect(text.length).toBeGreaterThan(MAX_TOAST_LENGTH - 20);
  });

  it('cuts a word that never ends, and no emoji in halves', () => {
    const { text } = summarize('a' + '🚀'.repeat(300), false);
    expect(text.length).toBeLessThanOrEqual(MAX_TOAST_LENGTH);
    expect(text).toMatch(/^a🚀+…$/u);
  });

  it('shows a few lines of many', () => {
    const { text, cut } = summarize('a\n\n\nb\r\nc\nd\ne', false);
    expect(text).toBe('a\nb\nc\nd…');
    expect(cut).toBe(true);
  });

  it('is quick with marks that never close, and needs no end of those that do', () => {
    const times = Array.from({ length: 5 }, () => {
      const began = process.cpuUsage();
      summarize('*a '.repeat(1365), true);
      return process.cpuUsage(began).user;
    });
    expect(Math.min(...times)).toBeLessThan(5000);
    const bold = `**${'very important '.repeat(60)}**`;
    expect(summarize(bold, true).text).toMatch(/^very important .*…$/);
    const link = `[the run](https://example.org/${'x'.repeat(700)}) is over`;
    expect(summarize(link, true)).toEqual({
      text: 'the run is over',
      cut: false
    });
  });

  it('measures what remains of Markdown, not its marks', () => {
    const message = `[${'x'.repeat(120)}](https://example.org/long)`;
    expect(summarize(message, true).cut).toBe(false);
  });
});
