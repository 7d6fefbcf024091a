/**
 * Summaries that are shown as they were written.
 */
import * as React from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';

import { PlainSummary } from '../components/plainText';
import { drawn } from '../text/drawn';
import { scriptChanges } from '../text/scripts';

function show(text: string, whole: boolean): HTMLElement {
  const host = document.createElement('div');
  flushSync(() =>
    createRoot(host).render(<PlainSummary text={text} whole={whole} />)
  );
  return host;
}

describe('PlainSummary', () => {
  it.each(['\u05d0\u200b', '\u05d0a ', '\u0e33a', '中a', '(\u05d0)'])(
    'shows the start, or all in chunks, of a text that changes its script as often as %j',
    unit => {
      const text = unit.repeat(1300);
      const all = drawn(text);
      expect(scriptChanges(all).length).toBeGreaterThan(1000);

      const start = show(text, false).textContent!;
      expect(start).toMatch(/…$/);
      expect(all.startsWith(start.slice(0, -1))).toBe(true);
      expect(scriptChanges(start).length).toBe(1000);

      const chunks = [...show(text, true).children].map(
        chunk => chunk.textContent!
      );
      expect(chunks.join('')).toBe(all);
      for (const chunk of chunks) {
        expect(scriptChanges(chunk).length).toBeLessThan(250);
      }
    }
  );

  it.each([
    'a'.repeat(4096),
    'שלום עולם '.repeat(400),
    '2026-11-30 שלום (world), '.repeat(160),
    'Pandas は Python のライブラリです。'.repeat(170)
  ])('shows all of %j in its line', text => {
    for (const whole of [false, true]) {
      const host = show(text, whole);
      expect(host.textContent).toBe(drawn(text));
      expect(host.children.length).toBe(0);
    }
  });
});
