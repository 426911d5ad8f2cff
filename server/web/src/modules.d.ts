declare module '*.css';
declare module 'monaco-graphql/esm/monaco-editor.js';
