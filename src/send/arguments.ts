/**
 * The description of the command that sends; loaded when somebody asks for it.
 */
import { DISPLAY_TYPES, LIMITS, NOTIFICATION_TYPES } from '../wire';

/**
 * The arguments of the command, as a JSON schema.
 */
export const ARGUMENTS = {
  type: 'object',
  properties: {
    message: {
      type: 'string',
      description: 'The text. Without it a form asks for it.'
    },
    type: {
      type: 'string',
      enum: NOTIFICATION_TYPES,
      description: 'Styling and urgency; info if none is given.'
    },
    body: { type: 'string', description: 'A longer text, Markdown.' },
    autoClose: {
      type: ['boolean', 'number', 'null'],
      description:
        'false: the toast stays until it is closed; a number: milliseconds; 0: no toast.'
    },
    key: {
      type: 'string',
      description: 'The same key again replaces the notification.'
    },
    progress: { type: 'number', minimum: 0, maximum: 1 },
    actions: {
      type: 'array',
      maxItems: LIMITS.actions,
      description: 'Buttons: what they say, and the command or link they open.',
      items: {
        type: 'object',
        required: ['label'],
        properties: {
          label: { type: 'string' },
          caption: { type: 'string' },
          displayType: { type: 'string', enum: DISPLAY_TYPES },
          commandId: { type: 'string' },
          args: { type: 'object' },
          url: { type: 'string' }
        }
      }
    },
    form: {
      type: 'boolean',
      description: 'Show the form all the same, filled in.'
    }
  }
} as const;
