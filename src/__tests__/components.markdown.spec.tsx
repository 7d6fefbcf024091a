/**
 * The elements that a text from outside may become in the page.
 */
import { Clipboard, Sanitizer } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { createRoot } from 'react-dom/client';
import { flushSync } from 'react-dom';

import { ownFile, safeImage, safeLink } from '../components/addresses';
import { SafeMarkdown } from '../components/markdown';
import { ownFiles } from '../components/ownFiles';

/** A text of Markdown may be HTML, so this parser passes everything on. */
const markdown = new SafeMarkdown({
  markdownParser: { render: async (source: string) => source },
  sanitizer: new Sanitizer()
} as unknown as IRenderMimeRegistry);

function show(nodes: React.ReactNode): HTMLElement {
  const host = document.createElement('div');
  flushSync(() => createRoot(host).render(nodes));
  return host;
}

async function block(source: string): Promise<HTMLElement> {
  return show(await markdown.block(source));
}

async function inline(source: string, links = true): Promise<HTMLElement> {
  return show(await markdown.inline(source, links));
}

describe('SafeMarkdown', () => {
  it('lets the cells of a text span so many places, and no more', async () => {
    const cell = (columns: number, rows: number) =>
      `<td colspan="${columns}" rowspan="${rows}">x</td>`;
    const cells = async (row: string) => [
      ...(
        await block(`<table><tbody><tr>${row}</tr></tbody></table>`)
      ).querySelectorAll('td')
    ];
    const [first, second] = await cells(cell(3, 2) + cell(0, 1));
    expect([first.colSpan, first.rowSpan]).toEqual([3, 2]);
    expect(second.colSpan).toBe(1);
    for (const row of [cell(1000, 1000), cell(20, 20), cell(1, 60_000)]) {
      let places = 0;
      for (const { colSpan, rowSpan } of await cells(row.repeat(100))) {
        places += colSpan * rowSpan > 1 ? colSpan * rowSpan : 0;
      }
      expect(places).toBeLessThanOrEqual(1000);
    }
  });

  it.each([
    '<img src="x" onerror="alert(1)">',
    '<script>alert(1)</script>',
    '<svg onload="alert(1)"><script>alert(1)</script></svg>',
    '<iframe src="https://a.example"></iframe>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="/hub/logout">x</a>',
    '<a href="../x.ipynb">x</a>',
    '<a href="#main">x</a>',
    '<a href="//a.example/">x</a>',
    '<form action="https://a.example"><input name="password"><button>x</button></form>',
    '<video src="https://a.example/v.mp4" autoplay></video>',
    '<style>* { display: none }</style>',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
    '<details open ontoggle="alert(1)">x</details>'
  ])('makes nothing that runs, loads or leads astray of %j', async source => {
    for (const host of [await block(source), await inline(source)]) {
      expect(
        host.querySelector(
          'a, button, form, iframe, img, input, script, style, svg, video'
        )
      ).toBeNull();
      for (const element of host.querySelectorAll('*')) {
        for (const { name } of element.attributes) {
          expect(name).not.toMatch(/^(on|href|src|action|style)/);
        }
      }
    }
  });

  it('leads to the user’s own files, in JupyterLab, and starts no kernel', async () => {
    const execute = jest.fn(async () => undefined);
    const get = async (path: string) => {
      if (path === 'c.csv') {
        throw new Error('There is no such file.');
      }
      return { type: path === 'runs' ? 'directory' : 'file' };
    };
    ownFiles.app = {
      commands: { execute },
      serviceManager: { contents: { get } }
    } as any;
    const host = await block(
      '<a href="./runs/a%20b.ipynb#results" onclick="alert(1)">a</a>, ' +
        '<a href="files/c.csv">c</a>, <a href="runs/">runs</a>, ' +
        '<a href="/runs/a">no</a> <a href="../a">no</a> <a href="a//b">no</a>'
    );
    expect(host.querySelector('a')).toBeNull();
    const buttons = [...host.querySelectorAll('button')];
    expect(buttons.map(one => one.title)).toEqual([
      'runs/a b.ipynb',
      'files/c.csv',
      'runs'
    ]);
    for (const button of buttons) {
      button.click();
      await new Promise(done => setTimeout(done));
    }
    const kernelPreference = { shouldStart: false, autoStartDefault: false };
    expect(execute.mock.calls).toEqual([
      ['docmanager:open', { path: 'runs/a b.ipynb', kernelPreference }],
      ['docmanager:open', { path: 'files/c.csv', kernelPreference }],
      ['filebrowser:go-to-path', { path: 'runs' }]
    ]);
    // A summary has no links to files: a closed row has none at all, an open row only web links.
    expect(
      (await inline('<a href="c.csv">c</a>')).querySelector('a, button')
    ).toBeNull();
  });

  it('copies code as it was written', async () => {
    const copied: string[] = [];
    jest
      .spyOn(Clipboard, 'copyToSystem')
      .mockImplementation(text => void copied.push(text as string));
    const host = await block('<pre><code>a &lt; b\n  $x$\n</code></pre>');
    const button = host.querySelector('button')!;
    expect(button.textContent).toBe('Copy');
    flushSync(() => button.click());
    expect(copied).toEqual(['a < b\n  $x$\n']);
    expect(button.textContent).toBe('Copied');
  });

  it('has formulas drawn, but for those that do more than to draw', async () => {
    const typeset = jest.fn();
    const withMath = new SafeMarkdown({
      markdownParser: { render: async (source: string) => source },
      sanitizer: new Sanitizer(),
      latexTypesetter: { typeset }
    } as unknown as IRenderMimeRegistry);
    const host = show(
      await withMath.block(
        '<p title="$t$">So $x^2$, $\\href{https://a.example}{y}$</p>' +
          '<img alt="$z$" src="no"> <code>$c$</code> $200 and $300'
      )
    );
    document.body.append(host);
    expect(host.textContent).toBe(
      'So $x^2$, $\\href{https://a.example}{y}$$z$ $c$ $200 and $300'
    );
    await new Promise(done => setTimeout(done, 20));
    expect(typeset.mock.calls.map(([{ textContent }]) => textContent)).toEqual([
      '$x^2$'
    ]);
    host.remove();
  });

  it('numbers footnotes, and leads to them', async () => {
    const host = document.createElement('div');
    document.body.append(host);
    host.className = 'jp-NotifyMarkdown';
    const parsed = new SafeMarkdown({
      markdownParser: {
        render: async (source: string) =>
          source.replace(/\n---[^]*/, '<hr><ol><li>first</li></ol>')
      },
      sanitizer: new Sanitizer()
    } as unknown as IRenderMimeRegistry);
    host.append(show(await parsed.block('<p>So[^1]</p>\n\n[^1]: first\n')));
    const button = host.querySelector('button')!;
    expect(button.parentElement!.localName).toBe('sup');
    expect(button.getAttribute('aria-label')).toBe('Footnote 1');
    button.click();
    expect(document.activeElement).toBe(
      host.querySelector('.jp-NotifyMarkdown-notes > li')
    );
    host.remove();
  });

  it('drops the commands, ids, classes and styles that the sanitizer lets pass', async () => {
    const source =
      '<a href="https://a.example/" id="main" class="jp-Dialog" ' +
      'style="position: fixed; inset: 0" data-commandlinker-command="application:reset" ' +
      'data-commandlinker-args="{}">x</a><div class="jp-Dialog" style="position:fixed">y</div>';
    const link = (await block(source)).querySelector('a')!;
    expect([...link.attributes].map(one => one.name).sort()).toEqual([
      'href',
      'rel',
      'target'
    ]);
    expect(link.rel).toContain('noopener');
    expect(link.target).toBe('_blank');
    expect((await block(source)).querySelector('[class], [style]')).toBeNull();
  });

  it('keeps what makes a text readable', async () => {
    const host = await block(
      '<h1 id="a">Title</h1><p><strong>b</strong> <code>c</code></p><ul><li>d</li></ul>' +
        '<table><thead><tr><th align="right">e</th></tr></thead><tbody><tr><td>f</td></tr></tbody></table>' +
        '<pre><code class="language-py"><span class="ͼ1e jp-Dialog">g</span></code></pre>'
    );
    expect(host.querySelector('h1')).toBeNull();
    expect(host.querySelector('[role="heading"]')!.textContent).toBe('Title');
    expect(host.querySelectorAll('strong, code, li, th, td, pre')).toHaveLength(
      7
    );
    expect(host.querySelector('th')!.style.textAlign).toBe('right');
    expect(host.querySelector('pre span')!.className).toBe('ͼ1e');
  });

  it('flattens a summary to one line', async () => {
    const host = await inline(
      '<h1>Title</h1><p>one <em>two</em></p><ul><li>three</li></ul><img alt="four" src="https://a.example/x.png">'
    );
    expect(host.textContent!.replace(/\s+/g, ' ')).toBe(
      'Title one two three four'
    );
    expect(host.querySelectorAll('h1, p, ul, li, img')).toHaveLength(0);
    expect(host.querySelectorAll('em')).toHaveLength(1);
  });

  it('makes links only where they can be followed', async () => {
    const source = '<a href="https://a.example/">x</a>';
    expect((await inline(source, true)).querySelector('a')).not.toBeNull();
    expect((await inline(source, false)).querySelector('a')).toBeNull();
  });

  it('lays out together only a part of a long text that is shown as written', async () => {
    const line = 'word '.repeat(1000);
    const text = `${'['.repeat(4000)}\n${line}\n${'x\n'.repeat(120)}`;
    const chunks = [
      ...(await block(text)).querySelectorAll('.jp-NotifyMarkdown-plain')
    ].map(chunk => chunk.textContent!);
    expect(Math.max(...chunks.map(chunk => chunk.length))).toBeLessThan(2100);
    expect(
      Math.max(...chunks.map(chunk => chunk.split('\n').length))
    ).toBeLessThan(51);
    expect(chunks.join('').replace(/\n/g, '')).toBe(text.replace(/\n/g, ''));
    // A line is parted at a blank.
    expect(chunks.filter(chunk => /^ord|^rd|^d /.test(chunk))).toEqual([]);
  });

  it('shows the start of a summary that is too complex, and all of it where that is asked for', async () => {
    const text = '\u05d0a '.repeat(1200);
    expect((await inline(text)).textContent).toContain(text);
    const start = show(await markdown.inline(text, true, false)).textContent!;
    expect(start).toContain('… This text is too complex');
    expect(start.length).toBeLessThan(text.length / 2);
  });

  it('shows as text what is nested too deep, or what breaks the parser', async () => {
    const deep = (times: number) =>
      '<blockquote>'.repeat(times) + 'x' + '</blockquote>'.repeat(times);
    const host = await block(deep(60));
    expect(host.textContent).toBe('x');
    expect(host.querySelectorAll('blockquote').length).toBeLessThan(40);
    for (const shown of [
      await block(deep(200)),
      await inline('<b>'.repeat(100), true)
    ]) {
      expect(shown.textContent).toContain('too complex to be formatted');
      expect(shown.querySelector('blockquote, b')).toBeNull();
    }

    const warn = jest.spyOn(console, 'warn').mockReturnValue();
    const broken = new SafeMarkdown({
      markdownParser: { render: () => Promise.reject(new Error('no')) },
      sanitizer: new Sanitizer()
    } as unknown as IRenderMimeRegistry);
    expect(await broken.block('<b>x</b>')).toBe('<b>x</b>');
    expect(warn).toHaveBeenCalled();
    warn.mockRestore();
  });
});

describe('safeLink', () => {
  it.each([
    ['https://a.example/x', 'https://a.example/x'],
    ['http://a.example/', 'http://a.example/'],
    ['mailto:a@example.org', 'mailto:a@example.org'],
    [' java\nscript:alert(1)', null],
    ['vbscript:x', null],
    ['file:///etc/passwd', null],
    ['x.ipynb', null],
    ['', null],
    [null, null]
  ])('%j', (href, safe) => expect(safeLink(href)).toBe(safe));
});

describe('safeImage', () => {
  it.each([
    ['https://a.example/x.png', 'https://a.example/x.png'],
    ['http://a.example/x.png', null],
    [`https://${window.location.host}/hub/logout`, null],
    ['/hub/logout', null],
    ['data:image/png;base64,AA==', 'data:image/png;base64,AA=='],
    ['data:text/html,x', null],
    [null, null]
  ])('%j', (src, safe) => expect(safeImage(src)).toBe(safe));

  it.each([
    ['0/a%20plot.png', true],
    ['0/100%25.png', true],
    ['../logout', false],
    ['%2e%2e/logout', false],
    ['0/..%2f..%2flogout', false],
    ['0/..%5clogout', false],
    ['0/..%252f%25252e%25252e%25252flogout', false],
    ['0/../../welcome/image/../logout', false]
  ])('%j among those that the server keeps: %j', (path, safe) => {
    const images = `${window.location.origin}/welcome/image/`;
    const src = images + path;
    expect(safeImage(src, images)).toBe(safe ? src : null);
  });
});

describe('ownFile', () => {
  it.each([
    ['files/plot.png', 'files/plot.png'],
    ['100%25.png', '100%.png'],
    ['files/%252e%252e/logout', null],
    ['files/%25252e%25252e%25252flogout', null],
    ['files/..%255clogout', null],
    ['files/%2e%2e/logout', null]
  ])('%j', (address, path) => expect(ownFile(address)).toBe(path));
});
