/* Chooses light or dark before anything is drawn, in the same way as JupyterHub's own pages. */
'use strict';
(() => {
  const KEY = 'jupyterhub-bs-theme';
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // The browser has no storage.
    }
  };
  const apply = theme =>
    document.documentElement.setAttribute('data-bs-theme', theme);
  const preferred = () => {
    const theme = stored();
    return theme === 'light' || theme === 'dark'
      ? theme
      : dark.matches
        ? 'dark'
        : 'light';
  };
  apply(preferred());
  dark.addEventListener('change', () => apply(preferred()));
  document.addEventListener('DOMContentLoaded', () => {
    document
      .getElementById('dark-theme-toggle')
      ?.addEventListener('click', () => {
        const theme =
          document.documentElement.getAttribute('data-bs-theme') === 'dark'
            ? 'light'
            : 'dark';
        apply(theme);
        try {
          localStorage.setItem(KEY, theme);
        } catch {
          // Without storage the choice holds until the page is left.
        }
      });
  });
})();
