/**
 * The field of the settings in which the user chooses the types of messages that toast.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { SettingGroup } from '../components/settingGroup';
import { TYPES, typesLabel } from '../text/labels';
import type { Notification } from '../wire';

/**
 * A box for each type.
 */
export function TypesField(props: {
  formData?: readonly Notification['type'][];
  onChange(types: Notification['type'][]): void;
  schema: { title?: string };
  trans: TranslationBundle;
}): JSX.Element {
  const { formData: chosen = [], onChange, schema, trans } = props;
  return (
    <SettingGroup id="jp-notify-toast-types" title={schema.title}>
      {TYPES.map(type => (
        <label key={type}>
          <input
            type="checkbox"
            checked={chosen.includes(type)}
            onChange={({ target }) =>
              onChange(
                TYPES.filter(one =>
                  one === type ? target.checked : chosen.includes(one)
                )
              )
            }
          />
          {typesLabel(type, trans)}
        </label>
      ))}
    </SettingGroup>
  );
}
