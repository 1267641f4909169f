/** Completion for fish. Pure. */
import { knownServers, singleQuoted, VERBS } from './completed-words.js';
import type { CompletedFlag, CompletedWords } from './completed-words.js';

export function fishCompletion({ program, identifier, flags, takesServer }: CompletedWords): string {
  const takers = flags.filter(({ value }) => value !== undefined).map(({ flag }) => flag);
  const at = (count: number, more = '') => singleQuoted(`test (count (__${identifier}_arguments)) -eq ${count}${more}`);
  const first = Object.entries(VERBS).map(([verb, { help }]) => `complete -c ${program} -n ${at(0)} -a ${verb} -d ${singleQuoted(help)}`);
  const then = Object.entries(VERBS)
    .filter(([, verb]) => verb.then.length > 0)
    .map(([verb, { then: words }]) => `complete -c ${program} -n ${at(1, `; and test (__${identifier}_arguments)[1] = ${verb}`)} -a ${singleQuoted(words.join(' '))}`);
  const servers = takesServer
    ? [
        `complete -c ${program} -n ${at(0)} -a ${singleQuoted(`(__${identifier}_servers | string split -f 1 ' ' | sort -u)`)} -d 'known server'`,
        `complete -c ${program} -n ${at(1)} -a ${singleQuoted(`(__${identifier}_servers | string match -- (__${identifier}_arguments)[1]' *' | string split -f 2 ' ')`)} -d port`,
      ]
    : [];
  return `# fish completion for ${program}: ${program} completion fish > ~/.config/fish/completions/${program}.fish

# The arguments so far that are no options.
function __${identifier}_arguments
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word ${takers.join(' ')}
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

function __${identifier}_servers
    set -l folder $HOME/p2p-chat
    set -q P2P_HOME; and set folder $P2P_HOME
    ${knownServers('$folder', { colons: true })}
end

complete -c ${program} -f
${[...first, ...then, ...servers, ...flags.map((flag) => `complete -c ${program} ${specOf(flag)} -d ${singleQuoted(flag.help)}`)].join('\n')}
`;
}

function specOf({ flag, kind, value, values }: CompletedFlag): string {
  const long = `-l ${flag.slice(2)}`;
  if (value === undefined) return long;
  if (values.length > 0) return `${long} -x -a ${singleQuoted(values.join(' '))}`;
  if (kind === 'file') return `${long} -r -F`;
  if (kind === 'folder') return `${long} -x -a '(__fish_complete_directories)'`;
  return `${long} -x`;
}
