import DataPlane
import EventLoop
import TLSEngine

/// One attempt to reach the service through the gateway.
final class DemoClient {
  private let buffers = RecordBuffers(inboundCapacity: 64 * 1024, outboundCapacity: 64 * 1024)
  private let session: TLSClientSession

  init(_ options: TLSClientOptions) throws {
    session = try TLSClientSession(try TLSClientContext(options), buffers: buffers)
  }

  /// What the client saw, in a sentence.
  func attempt(_ address: NetworkAddress, line: String) throws -> String {
    let stream = try DemoStream(to: address)
    while true {
      let step = session.handshake(now: Clock.system.wall())
      try flush(stream)
      switch step {
      case .complete: return try converse(stream, line)
      case .failed(let failure): return "the handshake failed: \(failure.message)"
      case .incomplete:
        guard try feed(stream) else { return "the gateway hung up during the handshake" }
      }
    }
  }

  private func converse(_ stream: DemoStream, _ line: String) throws -> String {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe session.write($0) }
    // A client that is refused may find its connection gone already.
    try? flush(stream)
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      switch unsafe buffer.withUnsafeMutableBytes({ unsafe session.read(into: $0) }) {
      case .bytes(let count):
        session.sendCloseNotify()
        try? flush(stream)
        stream.endSending()
        let answer = String(decoding: buffer[..<count], as: UTF8.self)
        while try !stream.receive().isEmpty {}
        return "sent '\(line)' and got '\(answer.filter { $0 != "\n" })'"
      case .closeNotify: return "connected, and was hung up on before any answer"
      case .failed(let message): return "the session broke: \(message)"
      case .wouldBlock: guard try feed(stream) else { return "connected, and was hung up on" }
      }
    }
  }

  private func flush(_ stream: DemoStream) throws {
    let bytes = unsafe Array(buffers.outbound)
    buffers.clearOutbound()
    try stream.send(bytes)
  }

  /// - Returns: false at the end of the stream.
  private func feed(_ stream: DemoStream) throws -> Bool {
    let bytes = try stream.receive()
    guard !bytes.isEmpty else { return false }
    unsafe bytes.withUnsafeBytes { source in
      unsafe buffers.inboundSpace.copyMemory(from: source)
      buffers.received(source.count)
    }
    return true
  }
}
