import AccessPolicy

/// Chooses the entry of `hosts` that a client gets for the name that it asks for.
package struct HostSelector: Sendable {
  /// Which entry.
  package enum Choice: Hashable, Sendable {
    /// The listener's own certificate and trust.
    case listener
    /// An entry of `hosts`, from 0.
    case host(Int)
    /// `unknown_server_name: refuse`.
    case refused
  }

  private var exact: [String: Int] = [:]
  /// By what stands behind `*.`.
  private var wildcards: [String: Int] = [:]
  private let refusesUnknown: Bool

  /// - Parameters:
  ///   - names: of each entry, in the spelling of ``ServerName``, wildcards with `*.` in front. A name stands
  ///     in one entry; of two the first counts.
  ///   - refusesUnknown: whether a client without a known name is refused.
  package init(names: [[String]], refusesUnknown: Bool) {
    self.refusesUnknown = refusesUnknown
    for (host, name) in names.enumerated().flatMap({ host in host.element.map { (host.offset, $0) } }) {
      if name.hasPrefix("*.") {
        wildcards[String(name.dropFirst(2))] = wildcards[String(name.dropFirst(2))] ?? host
      } else {
        exact[name] = exact[name] ?? host
      }
    }
  }

  /// - Parameter name: in the spelling of ``ServerName``; nil where the client asked for none.
  package func choose(_ name: String?) -> Choice {
    let unknown: Choice = refusesUnknown ? .refused : .listener
    guard let name else { return unknown }
    if let host = exact[name] { return .host(host) }
    // One label deep and never the suffix itself (RFC 6125 §6.4.3); an address has no labels.
    guard let dot = name.firstIndex(of: "."), dot != name.startIndex, IPAddress(name) == nil,
      let host = wildcards[String(name[name.index(after: dot)...])]
    else { return unknown }
    return .host(host)
  }
}
