package import DataPlane
import EventLoop
import Glibc

/// A listener could not be opened.
package struct ListenError: Error, CustomStringConvertible {
  package let listener: String
  package let address: ListenAddress
  package let error: any Error

  package var description: String {
    switch address {
    case .handedOver(let name): "listener \(listener): systemd:\(name): \(error)"
    case .opened(let address, _):
      "listener \(listener): cannot listen on \(address): \(error)\(hint(address).map { "; \($0)" } ?? "")"
    }
  }

  private func hint(_ address: NetworkAddress) -> String? {
    guard let error = error as? SystemError else { return nil }
    if case .unix(let path) = address { return Self.fileHint(error, path) }
    return switch error.name {
    case "EADDRINUSE": "another process holds this address: stop it or choose another port"
    case "EACCES": "ports below 1024 need CAP_NET_BIND_SERVICE"
    case "EADDRNOTAVAIL": "no interface of this machine has this address"
    default: nil
    }
  }

  private static func fileHint(_ error: SystemError, _ path: String) -> String? {
    switch (error.call, error.name) {
    case ("bind", "EADDRINUSE"):
      isSocket(path)
        ? "another process listens there: stop it or choose another path"
        : "what is there is no socket: remove it or choose another path"
    case ("bind", "ENOENT"), ("bind", "ENOTDIR"): "the folder is not there: create it"
    case ("bind", "EACCES"), ("bind", "EROFS"): "this user may not create files in the folder"
    case ("unlink", _): "an earlier process left its socket there, and this user may not remove it"
    case ("chown", _): "only root (CAP_CHOWN) gives files away, others to groups of their own alone"
    default: nil
    }
  }

  private static func isSocket(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
  }
}
