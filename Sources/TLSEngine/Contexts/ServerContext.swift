import COpenSSL

/// Everything that the handshakes of one listener share: what we show, who is trusted, what is spoken; by the
/// name that a client asks for.
@safe
package final class ServerContext: @unchecked Sendable {
  // Sendable: the ALPN list is never written again, and everything else is.
  /// What a client gets that asks for no name, or for one that no host has.
  package let ownHost: ServerHost
  /// In the order of the options.
  package let hosts: [ServerHost]
  /// Which of them a name belongs to.
  package let selector: HostSelector
  /// Our protocols as ALPN writes them (RFC 7301 §3.1), at an address that outlives every session.
  let alpn: UnsafeBufferPointer<UInt8>
  let isProtocolOptional: Bool
  /// Whether clients may resume sessions.
  let resumes: Bool

  /// Loads and checks everything, so that no handshake can find it wrong later.
  package convenience init(_ options: ServerContextOptions) throws(TLSConfigurationError) {
    let wire = try ALPN.wire(options.alpn)
    var loading = HostLoading(options)
    guard let hosts = loading.run() else { throw loading.errors.first ?? .outOfMemory }
    self.init(options, hosts, wire)
  }

  /// The same, with everything that is wrong in place of the first error.
  package static func load(
    _ options: ServerContextOptions
  ) -> (context: ServerContext?, errors: [TLSConfigurationError]) {
    do throws(TLSConfigurationError) {
      let wire = try ALPN.wire(options.alpn)
      var loading = HostLoading(options)
      guard let hosts = loading.run() else { return (nil, loading.errors) }
      return (ServerContext(options, hosts, wire), [])
    } catch { return (nil, [error]) }
  }

  private init(
    _ options: ServerContextOptions, _ hosts: (own: ServerHost, hosts: [ServerHost]), _ wire: [UInt8]
  ) {
    ownHost = hosts.own
    self.hosts = hosts.hosts
    selector = HostSelector(names: options.hosts.map(\.names), refusesUnknown: options.refusesUnknownNames)
    isProtocolOptional = options.isProtocolOptional
    resumes = options.resumes
    let list = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: wire.count)
    _ = unsafe list.initialize(from: wire)
    unsafe alpn = UnsafeBufferPointer(list)
  }

  deinit { unsafe alpn.deallocate() }

  /// `SSL_CTX`: what a session begins with, until the client has said its hello.
  var pointer: OpaquePointer { unsafe ownHost.pointer }

  /// - Parameter name: in the spelling of ``ServerName``; nil where the client asked for none.
  /// - Returns: nil where such a client is refused.
  package func host(for name: String?) -> ServerHost? {
    switch selector.choose(name) {
    case .listener: ownHost
    case .host(let index): hosts[index]
    case .refused: nil
    }
  }
}
