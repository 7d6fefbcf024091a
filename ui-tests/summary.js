/**
 * Says at the very end what went wrong in each test that failed, so that a log
 * of which only the end is kept still tells why.
 */
module.exports = class Summary {
  constructor() {
    this._failed = [];
  }

  onTestEnd(test, result) {
    if (result.status !== 'skipped' && result.status !== test.expectedStatus) {
      this._failed.push({ test, result });
    }
  }

  onError(error) {
    console.log(error.message ?? error.value);
  }

  onEnd() {
    for (const { test, result } of this._failed) {
      const [error] = result.errors;
      const said = (error?.message ?? result.status)
        // Without the terminal's colours.
        // eslint-disable-next-line no-control-regex
        .replace(/\x1b\[[0-9;]*m/g, '')
        .split('\n')
        .slice(0, 12)
        .join('\n    ');
      const { file, line } = error?.location ?? test.location;
      console.log(`\n${test.titlePath().slice(2).join(' › ')}`);
      console.log(`    ${file}:${line}\n    ${said}`);
    }
  }

  printsToStdio() {
    return false;
  }
};
