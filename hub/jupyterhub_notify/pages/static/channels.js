/**
 * A user's choice of channels, saved at every change.
 */
import { api, byId } from './api.js';

export function beginChannels(form) {
  const fields = form.elements;
  if (!fields.quiet_from.value && fields.timezone.value === 'UTC') {
    // The user has chosen no zone yet: suggest the browser's, since quiet hours are local times.
    fields.timezone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
  form.addEventListener('submit', event => event.preventDefault());
  form.addEventListener('change', async () => {
    const said = byId('jn-channels-said');
    const boxes = [...form.querySelectorAll('[name=on]:enabled')];
    try {
      await api('PATCH', 'v1/channels', {
        on: Object.fromEntries(boxes.map(box => [box.value, box.checked])),
        digest: fields.digest.value,
        quiet_from: fields.quiet_from.value || null,
        quiet_until: fields.quiet_until.value || null,
        timezone: fields.timezone.value.trim()
      });
      said.classList.remove('jn-problem');
      said.textContent = 'Saved.';
    } catch (error) {
      said.classList.add('jn-problem');
      said.textContent = error.message;
    }
  });
}
