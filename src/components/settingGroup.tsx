/**
 * A group of fields in JupyterLab's settings, for a setting that its form does not draw.
 */
import * as React from 'react';

import '../../style/settings.css';

/**
 * The group, with its name and its description.
 *
 * @param props.id - The id of the heading, by which the group is named.
 */
export function SettingGroup(props: {
  id: string;
  title?: string;
  description?: string;
  children: React.ReactNode;
}): JSX.Element {
  const { id, title, description, children } = props;
  return (
    <div className="jp-NotifySetting" role="group" aria-labelledby={id}>
      <h3 id={id} className="jp-FormGroup-fieldLabel jp-FormGroup-contentItem">
        {title}
      </h3>
      {description && <p className="jp-FormGroup-description">{description}</p>}
      {children}
    </div>
  );
}
