/** Completion for zsh, to be sourced or put into a folder of `fpath` as `_<program>`. Pure. */
import { knownServers, singleQuoted, VERBS } from './completed-words.js';
import type { CompletedFlag, CompletedWords } from './completed-words.js';

export function zshCompletion({ program, identifier, flags, takesServer }: CompletedWords): string {
  const verbs = Object.entries(VERBS);
  return `#compdef ${program}
# zsh completion for ${program}. In ~/.zshrc, after compinit: source <(${program} completion zsh)

_${identifier}_servers() {
  local folder=\${opt_args[--home]:-\${P2P_HOME:-$HOME/p2p-chat}}
  ${knownServers('${~folder}', { colons: true })} | sort -u
}

_${identifier}_first() {
  local -a verbs=(${verbs.map(([verb, { help }]) => singleQuoted(`${verb}:${help}`)).join(' ')})
  _describe 'command' verbs${takesServer ? `\n  local -a hosts=(\${(f)"$(_${identifier}_servers | cut -d ' ' -f 1)"})\n  compadd -X 'known server' -a hosts` : ''}
}

_${identifier}_second() {
  case $line[1] in
${verbs.map(([verb, { then }]) => `    ${verb}) ${then.length === 0 ? '' : `compadd ${then.join(' ')} `};;`).join('\n')}
    *) ${takesServer ? `local -a ports=(\${\${(M)\${(f)"$(_${identifier}_servers)"}:#\${line[1]} *}#* }); compadd -X 'port' -a ports ` : ''};;
  esac
}

_${identifier}() {
  local -A opt_args
  local -a line
  _arguments -S \\
${flags.map((flag) => `    ${singleQuoted(specOf(flag))} \\`).join('\n')}
    '1:${takesServer ? 'host' : 'command'}:_${identifier}_first' \\
    '2:${takesServer ? 'port' : 'what'}:_${identifier}_second'
}

if [[ $funcstack[1] == _${identifier} || $funcstack[1] == _${program} ]]; then
  _${identifier} "$@"
else
  compdef _${identifier} ${program}
fi
`;
}

/** One argument of _arguments: \`--flag=[help]:value:action\`; the value may be the next word as well. */
function specOf({ flag, kind, value, values, help, repeats }: CompletedFlag): string {
  const words = help.replace(/[[\]:\\]/gu, '\\$&');
  if (value === undefined) return `${flag}[${words}]`;
  const action = values.length > 0 ? `(${values.join(' ').replaceAll('#', '\\#')})` : kind === 'file' ? '_files' : kind === 'folder' ? '_files -/' : ' ';
  return `${repeats ? '*' : ''}${flag}=[${words}]:${value}:${action}`;
}
