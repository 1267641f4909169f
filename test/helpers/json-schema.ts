/**
 * The schema that the package ships, held against lines: strictly, so that a field that it does not know is found.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { closed, jsonLinesSchema } from '../build/json-lines-schema.js';
import type { JsonSchema } from '../build/schema-of-types.js';

/** Where the package has it. */
export const SCHEMA_FILE = fileURLToPath(new URL('../../src/terminal/json-lines.schema.json', import.meta.url));

let schema: JsonSchema | undefined;

/** As shipped; made anew where the tests were compiled without `npm run build`. */
export function shippedSchema(): JsonSchema {
  schema ??= existsSync(SCHEMA_FILE) ? (JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as JsonSchema) : jsonLinesSchema();
  return schema;
}

let validator: Ajv.Ajv | undefined;

function strict(): Ajv.Ajv {
  if (validator === undefined) {
    validator = new Ajv({ allErrors: true });
    validator.addSchema(closed(shippedSchema()), 'lines');
  }
  return validator;
}

/** The names of all events. */
export function eventNames(): string[] {
  const { output } = shippedSchema()['definitions'] as { readonly output: { readonly anyOf: readonly { readonly $ref: string }[] } };
  return output.anyOf.map(({ $ref }) => $ref.replace('#/definitions/', ''));
}

/** What is wrong with a line that came out; undefined: nothing. */
export function outputFault(line: string): string | undefined {
  const value = JSON.parse(line) as { readonly event?: unknown };
  const name = String(value.event);
  return eventNames().includes(name) ? fault(name, value) : `there is no event ${name}`;
}

/** What is wrong with a line that is to go in; undefined: nothing. */
export function inputFault(line: string): string | undefined {
  return fault('input', JSON.parse(line));
}

/** @throws AssertionError for the first line that the schema does not allow. */
export function assertOutput(lines: readonly string[]): void {
  for (const line of lines) assert.equal(outputFault(line), undefined, line);
}

function fault(definition: string, value: unknown): string | undefined {
  const ajv = strict();
  return ajv.validate(`lines#/definitions/${definition}`, value) === true ? undefined : `${definition}: ${ajv.errorsText()}`;
}
