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
  const builder = new AxeBuilder({ page });
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
