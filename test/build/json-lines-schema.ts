/**
 * The JSON Schema of every line that goes into and comes out of `p2p-client --json`, made from the types in terminal/json-events.ts.
 *
 * Fields and codes may be added in later versions. Further fields are allowed in what comes out, but not in what goes in.
 */
import { join } from 'node:path';
import { COMMAND_NAMES, COMMANDS } from '../../src/terminal/command-table.js';
import { projectRoot } from '../protocol/specification.js';
import { SchemaSource, type JsonSchema } from './schema-of-types.js';

/** Draft-07. `definitions` has `input`, `output`, and one for each event by its name. */
export function jsonLinesSchema(): JsonSchema {
  const source = new SchemaSource(join(projectRoot(), 'src/terminal/json-events.ts'));
  const stamp = source.schema('Stamped');
  const events = [...source.members('JsonEvent', 'event')].map(([name, schema]) => [name, stamped(schema, stamp)] as const);
  const input = withExamples(source.schema('InputObject'));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'p2p-client --json',
    description:
      'One JSON object a line. What goes in: `input` (a line that does not begin with { is a command or a message as a person would type it). What comes out: `output`, one of the events. Later versions may add events, fields and codes.',
    anyOf: [{ $ref: '#/definitions/input' }, { $ref: '#/definitions/output' }],
    definitions: {
      input: closed(input),
      output: { anyOf: events.map(([name]) => ({ $ref: `#/definitions/${name}` })) },
      ...Object.fromEntries(events),
    },
  };
}

/** With every command as an example of the field `command`. */
function withExamples(input: JsonSchema): JsonSchema {
  const examples = COMMAND_NAMES.flatMap((name) => COMMANDS[name].examples.filter((one) => one.startsWith(name)));
  const members = (input['anyOf'] as { readonly properties: Readonly<Record<string, JsonSchema>> }[]).map((member) => {
    const { command, ...others } = member.properties;
    return command === undefined ? member : { ...member, properties: { ...others, command: { ...command, examples } } };
  });
  return { ...input, anyOf: members };
}

/** With the field `at` behind `event`. */
function stamped(schema: JsonSchema, stamp: JsonSchema): JsonSchema {
  const { event, ...fields } = schema['properties'] as Record<string, JsonSchema>;
  const required = (schema['required'] as string[]).filter((name) => name !== 'event');
  return { ...schema, properties: { event, ...(stamp['properties'] as object), ...fields }, required: ['event', 'at', ...required] };
}

/** A schema whose objects have no further fields, at any depth. */
export function closed(schema: JsonSchema): JsonSchema {
  const deep = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(deep);
    if (typeof value !== 'object' || value === null) return value;
    const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, deep(one)]));
    return 'properties' in inner ? { ...inner, additionalProperties: false } : inner;
  };
  return deep(schema) as JsonSchema;
}
