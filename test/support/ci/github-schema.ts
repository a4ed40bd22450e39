// SPDX-License-Identifier: MIT
/** Actions by the schema that GitHub publishes (actions/languageservices). Vitest has to load it: see its configuration. */
import { parseAction } from '@actions/workflow-parser/actions/action-parser';
import { NoOperationTraceWriter } from '@actions/workflow-parser';

/** What is wrong with the text of an action's file. */
export function actionErrors(content: string): readonly string[] {
  const { context } = parseAction({ name: 'action.yml', content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}
