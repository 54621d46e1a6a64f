internal import Foundation

/// The images of a process's memory that a system writes when it crashes.
package enum CoreFiles {
  /// From now on neither this process nor its children leave one: it would hold keys.
  package static func forbid() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    #if canImport(Glibc)
      setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    #else
      setrlimit(RLIMIT_CORE, &none)
    #endif
  }
}
