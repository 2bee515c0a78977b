/**
 * What a shell is told once, so that it asks `sluice` for completions ever after. SHELL is set in the question: it is
 * how yargs knows whether the shell can show descriptions, and a person's login shell may be another one.
 */

/** The first word of a shell's question; the words typed so far follow. */
export const completionRequest = '--get-yargs-completions';

export const shells = ['bash', 'zsh', 'fish'] as const;

export type ShellName = (typeof shells)[number];

export const completionScripts: Readonly<Record<ShellName, string>> = {
  bash: `# bash completion for sluice: eval "$(sluice completion bash)"
_sluice() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(SHELL=bash sluice ${completionRequest} "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sluice sluice`,

  zsh: `#compdef sluice
# zsh completion for sluice: eval "$(sluice completion zsh)"
_sluice() {
  local -a found
  found=("\${(@f)$(SHELL=zsh sluice ${completionRequest} "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then
    _describe sluice found
  else
    _default
  fi
}
compdef _sluice sluice`,

  fish: `# fish completion for sluice: sluice completion fish | source
function __sluice_complete
  SHELL=fish sluice ${completionRequest} (commandline -opc) "$(commandline -ct)" 2>/dev/null
end
complete -c sluice -f -a '(__sluice_complete)'
complete -c sluice -n '__fish_seen_subcommand_from up check plan trace' -s f -l file -r -F
complete -c sluice -n '__fish_seen_subcommand_from trace' -l pcap -l write -r -F`,
};
