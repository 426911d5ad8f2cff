import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { type Example, tabOf } from './examples';

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" aria-hidden>
      <path d="M4 5.5A1.5 1.5 0 0 1 5.5 4H10a2 2 0 0 1 2 2v14a2 2 0 0 0-2-2H4z" />
      <path d="M20 5.5A1.5 1.5 0 0 0 18.5 4H14a2 2 0 0 0-2 2v14a2 2 0 0 1 2-2h6z" />
    </svg>
  );
}

/** A list of the example queries: they stay at hand after their tabs are closed or edited. */
export function examplesPanel(examples: Example[]): GraphiQLPlugin {
  function Panel() {
    const { addTab, changeTab } = useGraphiQLActions();
    const tabs = useGraphiQL((state) => state.tabs);
    const queryEditor = useGraphiQL((state) => state.queryEditor);
    const variableEditor = useGraphiQL((state) => state.variableEditor);

    function open(example: Example) {
      const { query, variables } = tabOf(example);
      const existing = tabs.findIndex((tab) => tab.query === query);
      if (existing >= 0) return changeTab(existing);
      addTab();
      queryEditor?.setValue(query);
      variableEditor?.setValue(variables);
    }

    return (
      <section aria-label="Examples" className="examples-panel">
        <h2>Examples</h2>
        <ul>
          {examples.map((example) => (
            <li key={example.title}>
              <button type="button" onClick={() => open(example)}>
                {example.title}
              </button>
            </li>
          ))}
        </ul>
      </section>
    );
  }
  return { title: 'Examples', icon: Icon, content: Panel };
}
