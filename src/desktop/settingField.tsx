/**
 * The field of the settings that turns desktop notifications on and off: a box whose click asks the
 * browser.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { obstacle, turn } from './consent';
import { permission } from './permission';
import '../../style/settings.css';

/**
 * A box, and below it why it cannot be checked.
 */
export function SettingField({
  formData,
  onChange,
  schema,
  trans
}: {
  formData?: unknown;
  onChange(value: boolean): unknown;
  schema: { title?: string };
  trans: TranslationBundle;
}): JSX.Element {
  const [failure, setFailure] = React.useState<string | null>(null);
  const toggle = async (wanted: boolean) => {
    // The form saves the value itself, a moment later, which would overwrite a value stored here.
    const save = async (value: boolean) => onChange(value);
    setFailure(
      await turn(wanted, save, trans).catch((error: Error) => error.message)
    );
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
