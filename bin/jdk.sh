# Read by the scripts beside it: finds a JDK that is new enough. Starts no process to do so, because
# every ./iommu passes through here; a JDK says what it is in its file "release".

jdk_needed=25

# Sets jdk (its home) and jdk_version (its full version); false if no JDK is new enough.
find_jdk() {
  try_jdk "${JAVA25_HOME:-}" && return
  try_jdk "${JAVA_HOME:-}" && return
  jdk_in_path=$(command -v java 2>/dev/null) && {
    while [ -h "$jdk_in_path" ]; do
      jdk_link=$(readlink "$jdk_in_path")
      case $jdk_link in
        /*) jdk_in_path=$jdk_link ;;
        *) jdk_in_path=${jdk_in_path%/*}/$jdk_link ;;
      esac
    done
    try_jdk "${jdk_in_path%/bin/java}" && return
  }
  for jdk_place in /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* \
    "${SDKMAN_DIR:-${HOME:-}/.sdkman}"/candidates/java/* "${HOME:-}"/.jdks/* \
    "${HOME:-}"/.local/share/mise/installs/java/* "${HOME:-}"/.asdf/installs/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home \
    "${HOME:-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    try_jdk "$jdk_place" && return
  done
  # A java in PATH that is a stand-in (jenv, asdf, macOS) has to be asked.
  [ -n "$jdk_in_path" ] && try_jdk "$(java -XshowSettings:properties -version 2>&1 |
    sed -n 's/^ *java\.home = //p')"
}

try_jdk() {
  [ -n "$1" ] && [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  jdk_version=
  while IFS='="' read -r jdk_key jdk_empty jdk_value jdk_rest; do
    case $jdk_key in
      JAVA_RUNTIME_VERSION) jdk_version=$jdk_value ;;
      JAVA_VERSION) [ -n "$jdk_version" ] || jdk_version=$jdk_value ;;
    esac
  done <"$1/release"
  jdk_feature=${jdk_version%%[!0-9]*}
  [ "${jdk_feature:-0}" -ge "$jdk_needed" ] && jdk=$1
}

jdk_advice() {
  cat >&2 <<END
iommu4j needs JDK $jdk_needed or newer, and found none in JAVA25_HOME, JAVA_HOME, PATH or the usual places.
Install one, for example:
  Debian, Ubuntu   apt install openjdk-$jdk_needed-jdk-headless    (or temurin-$jdk_needed-jdk)
  Fedora           dnf install java-$jdk_needed-openjdk-devel
  macOS            brew install openjdk@$jdk_needed
  anywhere         sdk install java                     (SDKMAN)
or point to it: export JAVA25_HOME=/path/to/jdk
END
}
