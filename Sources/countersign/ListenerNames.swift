import AccessPolicy
import ArgumentParser
import ControlPlane
import GatewayConfiguration

/// Completes `--listener` from the configuration that `--config` names.
enum ListenerNames {
  static let completion = CompletionKind.custom { words, _, _ in
    guard let path = configuration(in: words) else { return [] }
    let (loaded, _) = ConfigurationLoader.load(path: path, isServed: false)
    return loaded?.configuration.listeners.map(\.name.value) ?? []
  }

  private static func configuration(in words: [String]) -> String? {
    for (index, word) in words.enumerated() {
      if word == "--config", index + 1 < words.count { return words[index + 1] }
      if word.hasPrefix("--config=") { return String(word.dropFirst("--config=".count)) }
    }
    return nil
  }
}
