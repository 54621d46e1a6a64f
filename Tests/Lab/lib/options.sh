# shellcheck shell=bash
# The command line, and what the lab in the folder was made with.

declare -A OPTIONS=()

usage_error() { fail "$EXIT_USAGE" "$1" '' 'lab help lists the commands'; }

# read_options WORDS ARG…: takes the lab's own options out. After that many words the rest is a
# command, and none of our business; so is all that follows `--`.
read_options() {
  local words=$1
  shift
  REST=()
  while (($# > 0)); do
    case $1 in
      --name | --dir | --servers | --agents)
        (($# > 1)) || usage_error "$1 needs a value"
        set_option "${1#--}" "$2"
        shift
        ;;
      --bare) OPTIONS[bare]=yes ;;
      --) shift && break ;;
      -*) usage_error "unknown option \"$1\"" ;;
      *)
        ((${#REST[@]} < words)) || break
        REST+=("$1")
        ;;
    esac
    shift
  done
  REST+=("$@")
}

set_option() {
  case $1 in
    name)
      [[ $2 =~ ^[a-z0-9][a-z0-9-]{0,30}$ ]] ||
        usage_error "\"$2\" is not a name for a lab: small letters, digits and dashes, at most 31"
      ;;
    servers) is_count "$2" "$MOST_SERVERS" || usage_error "--servers is a number up to $MOST_SERVERS" ;;
    agents) is_count "$2" "$MOST_AGENTS" || usage_error "--agents is a number up to $MOST_AGENTS" ;;
  esac
  OPTIONS[$1]=$2
}

is_count() { [[ $1 =~ ^(0|[1-9][0-9]{0,2})$ ]] && (($1 <= $2)); }

# read_configuration: sets DIR, NAME, SERVERS, AGENTS, BARE and BASE to those of the lab in the folder.
read_configuration() {
  DIR=$(realpath -m "${OPTIONS[dir]:-$PWD/.lab}")
  # The name becomes part of options of mount and ssh, where these have a meaning.
  [[ $DIR != *[,:%\"\\]* ]] || usage_error "a lab's folder cannot have any of , : % \" \\ in its name: $DIR"
  NAME=${OPTIONS[name]:-demo} SERVERS=3 AGENTS=4 BARE=no BASE=''
  [[ -e $DIR/lab.conf ]] || return 0
  # shellcheck source=/dev/null
  . "$DIR/lab.conf"
  [[ ${OPTIONS[name]:-$NAME} == "$NAME" ]] ||
    fail "$EXIT_FAILED" "$DIR holds the lab \"$NAME\", not \"${OPTIONS[name]}\"" '' 'give each lab a --dir of its own'
}

# change_configuration: what `up` asks for; nodes are only ever added to a lab that is there.
change_configuration() {
  local servers=${OPTIONS[servers]:-$SERVERS} agents=${OPTIONS[agents]:-$AGENTS} bare=${OPTIONS[bare]:-$BARE}
  if [[ -e $DIR/lab.conf ]]; then
    ((servers >= SERVERS && agents >= AGENTS)) ||
      fail "$EXIT_FAILED" "the lab already has $SERVERS servers and $AGENTS agents" 'up takes no node away' 'lab down, then lab up'
    [[ $bare == "$BARE" ]] ||
      fail "$EXIT_FAILED" 'the lab was made without --bare' 'its nodes already have their names' 'lab down, then lab up'
  fi
  SERVERS=$servers AGENTS=$agents BARE=$bare
}

save_configuration() {
  printf '%s=%q\n' NAME "$NAME" SERVERS "$SERVERS" AGENTS "$AGENTS" BARE "$BARE" BASE "$BASE" >"$DIR/lab.conf.new"
  mv "$DIR/lab.conf.new" "$DIR/lab.conf"
}

require_lab() {
  [[ -e $DIR/nodes ]] || fail "$EXIT_FAILED" "there is no lab in $DIR" '' 'make one with: lab up'
}

# require_node: sets NODE to the first word; the rest is the command for it.
require_node() {
  require_lab
  ((${#REST[@]} > 0)) || usage_error "which node? one of: $(all_nodes | paste -sd' ')"
  NODE=${REST[0]}
  REST=("${REST[@]:1}")
  all_nodes | grep -qxF -- "$NODE" || usage_error "no node named \"$NODE\"; there are: $(all_nodes | paste -sd' ')"
}

refuse_rest() { ((${#REST[@]} == 0)) || usage_error "unexpected \"${REST[0]}\""; }
