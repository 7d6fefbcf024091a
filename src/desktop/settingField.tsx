/**
 * The field of the settings that turns desktop notifications on and off: a box whose click asks the
 * browser.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { obstacle, type Store, turn } from './consent';
import { permission } from './permission';
import '../../style/settings.css';

/**
 * A box, and below it why it cannot be checked.
 */
export function SettingField({
  formData,
  onChange,
  schema,
  store,
  trans
}: {
  formData?: unknown;
  onChange(value: boolean): unknown;
  schema: { title?: string };
  store: Store;
  trans: TranslationBundle;
}): JSX.Element {
  const [failure, setFailure] = React.useState<string | null>(null);
  const toggle = async (wanted: boolean) => {
    const reason = await turn(wanted, store, trans).catch(
      (error: Error) => error.message
    );
    setFailure(reason);
    if (reason === null) {
      onChange(wanted);
    }
  };
  return (
    <div className="jp-NotifySetting">
      <label>
        <input
          type="checkbox"
          checked={formData === true && permission() === 'granted'}
          onChange={event => void toggle(event.target.checked)}
        />
        {schema.title}
      </label>
      <p role="status" className="jp-NotifySetting-problem">
        {failure ?? obstacle(permission(), trans)}
      </p>
    </div>
  );
}
