import js from '@eslint/js';
import jupyterPlugin from '@jupyter/eslint-plugin';
import prettierRecommended from 'eslint-plugin-prettier/recommended';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const typescriptRules = {
  '@typescript-eslint/naming-convention': [
    'error',
    {
      selector: 'interface',
      format: ['PascalCase'],
      custom: { regex: '^I[A-Z]', match: true }
    }
  ],
  '@typescript-eslint/no-unused-vars': ['warn', { args: 'none' }],
  '@typescript-eslint/no-explicit-any': 'off',
  '@typescript-eslint/no-namespace': 'off',
  '@typescript-eslint/no-use-before-define': 'off',
  curly: ['error', 'all'],
  eqeqeq: 'error',
  'prefer-arrow-callback': 'error'
};

export default tseslint.config(
  {
    ignores: [
      '**/node_modules',
      '**/*.d.ts',
      '.venv',
      'build',
      'coverage',
      'dist',
      'docs',
      'hub/**/vendor',
      'jupyterlab_notify',
      'lib',
      'ui-tests/playwright-report',
      'ui-tests/test-results'
    ]
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    plugins: { jupyter: jupyterPlugin },
    languageOptions: {
      globals: { ...globals.browser, ...globals.es2021 },
      parserOptions: { project: 'tsconfig.test.json', sourceType: 'module' }
    },
    rules: {
      ...jupyterPlugin.configs.recommended[0].rules,
      ...typescriptRules
    }
  },
  {
    // Generated: its names are those of the wire.
    files: ['src/wire.ts'],
    rules: { '@typescript-eslint/naming-convention': 'off' }
  },
  {
    files: ['src/**/__tests__/**'],
    languageOptions: { globals: { ...globals.jest, ...globals.node } }
  },
  {
    files: ['ui-tests/**/*.ts'],
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: typescriptRules
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: { '@typescript-eslint/no-require-imports': 'off' }
  },
  {
    // The page's scripts, loaded as they are.
    files: ['hub/jupyterhub_notify/pages/static/*.js'],
    languageOptions: {
      globals: { ...globals.browser, htmx: 'readonly' },
      sourceType: 'module'
    },
    rules: typescriptRules
  },
  {
    // Before anything is drawn, and in the Hub's own pages.
    files: ['hub/jupyterhub_notify/pages/static/{theme,hub-pages}.js'],
    languageOptions: { sourceType: 'script' }
  },
  {
    files: ['style/*.js'],
    languageOptions: { sourceType: 'module' }
  },
  prettierRecommended
);
