/**
 * Completion for bash, 3.2 and later: no `mapfile`, and `compopt` only where there is one. Pure.
 *
 * Hosts with colons are left out: bash breaks words there.
 */
import { knownServers, singleQuoted, VERBS } from './completed-words.js';
import type { CompletedFlag, CompletedWords } from './completed-words.js';

export function bashCompletion(words: CompletedWords): string {
  const { program, identifier, flags, takesServer } = words;
  const takers = flags.filter(({ value }) => value !== undefined).map(({ flag }) => flag);
  const servers = takesServer
    ? `
_${identifier}_servers() {
  ${knownServers('"$1"', { colons: false })} | sort -u
}
`
    : '';
  const hosts = takesServer ? `\n    _${identifier}_offer "$cur" < <(_${identifier}_servers "$folder" | cut -d ' ' -f 1 | sort -u)` : '';
  const ports = takesServer
    ? `_${identifier}_offer "$cur" < <(_${identifier}_servers "$folder" | while read -r host port; do if [[ $host == "$first" ]]; then echo "$port"; fi; done) `
    : '';
  return `# bash completion for ${program}. In ~/.bashrc: source <(${program} completion bash)

# Of the lines on stdin those that begin with $1.
_${identifier}_offer() {
  local word
  while IFS= read -r word; do
    if [[ $word == "$1"* ]]; then COMPREPLY+=("$word"); fi
  done
}
${servers}
_${identifier}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at first= count=0 value
  local folder=\${P2P_HOME:-$HOME/p2p-chat}
  COMPREPLY=()
  # --flag=value is three words to bash.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    case \${COMP_WORDS[at]} in
      ${takers.join('|')})
        value=$((at + 1))
        if [[ \${COMP_WORDS[value]} == = ]]; then ((value++)); fi
        if [[ \${COMP_WORDS[at]} == --home ]]; then folder=\${COMP_WORDS[value]/#\\~/$HOME}; fi
        at=$value
        ;;
      -*) ;;
      *)
        ((count++))
        if [[ -z $first ]]; then first=\${COMP_WORDS[at]}; fi
        ;;
    esac
  done
  case $prev in
${flags.filter(({ value }) => value !== undefined).map((flag) => `    ${flag.flag}) ${valueOf(identifier, flag)}return ;;`).join('\n')}
  esac
  if [[ $cur == -* ]]; then
    ${offer(identifier, flags.map(({ flag }) => flag))}
  elif ((count == 0)); then
    ${offer(identifier, Object.keys(VERBS))}${hosts}
  elif ((count == 1)); then
    case $first in
${Object.entries(VERBS).map(([verb, { then }]) => `      ${verb}) ${then.length === 0 ? '' : `${offer(identifier, then)} `};;`).join('\n')}
      *) ${ports};;
    esac
  fi
}
complete -F _${identifier} ${program}
`;
}

function offer(identifier: string, all: readonly string[]): string {
  return `_${identifier}_offer "$cur" < <(printf '%s\\n' ${all.map((one) => (/^[\w-]+$/u.test(one) ? one : singleQuoted(one))).join(' ')})`;
}

/** File names may hold whatever they like: compgen prints one a line. */
function valueOf(identifier: string, { kind, values }: CompletedFlag): string {
  if (values.length > 0) return `${offer(identifier, values)}; `;
  const names = kind === 'file' ? 'compgen -f' : kind === 'folder' ? 'compgen -d' : undefined;
  return names === undefined ? '' : `compopt -o filenames 2>/dev/null; _${identifier}_offer '' < <(${names} -- "$cur"); `;
}
