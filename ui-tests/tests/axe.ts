/**
 * Accessibility, as axe judges it.
 */
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/**
 * Expect that axe finds nothing wrong in these parts of a page.
 */
export async function hasNoViolations(
  page: Page,
  ...parts: string[]
): Promise<void> {
  // The other mode opens a page for each report, to join those of frames; here are no frames.
  const builder = new AxeBuilder({ page }).setLegacyMode();
  expect(page.frames()).toHaveLength(1);
  parts.forEach(part => builder.include(part));
  const { violations, passes } = await builder.analyze();
  expect(passes.length).toBeGreaterThan(3);
  expect(
    violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(node => `${node.html} ${node.failureSummary}`)
    }))
  ).toEqual([]);
}
