import AccessPolicy
import FuzzSupport

/// Any text as an address, a block, an instant, a duration and a value of every field: refused, or read in a way
/// that its own canonical text reads back.
@main
enum FuzzFactTexts {
  static func main() {
    runFuzzer { input in
      let text = String(decoding: input, as: UTF8.self)
      checkAddress(text)
      checkInstant(text)
      if let duration = Duration(configured: text) {
        Invariant.hold(duration >= .zero, "a negative duration from \(text)")
      }
      for field in Field.allCases { checkValue(text, field) }
    }
  }
}

private func checkAddress(_ text: String) {
  if let address = IPAddress(text) {
    let canonical = address.text
    Invariant.hold(IPAddress(canonical) == address, "\(text) is \(canonical), which is something else")
    Invariant.hold(IPAddress(canonical)?.text == canonical, "\(canonical) is not canonical")
  }
  guard let block = CIDRBlock(text) else { return }
  let base = text.split(separator: "/", maxSplits: 1).first.flatMap { IPAddress(String($0)) }
  Invariant.hold(base.map(block.contains) == true, "\(text) does not hold its own first address")
}

private func checkInstant(_ text: String) {
  guard let instant = Timestamp(rfc3339: text) else { return }
  let canonical = instant.rfc3339
  Invariant.hold(Timestamp(rfc3339: canonical) == instant, "\(text) is \(canonical), which is something else")
  Invariant.hold(canonical.hasSuffix("Z"), "\(canonical) is not in UTC")
}

private func checkValue(_ text: String, _ field: Field) {
  guard let value = try? FactValue.parse([text], for: field) else { return }
  guard let again = try? FactValue.parse(value.texts, for: field) else {
    Invariant.hold(false, "\(field.name): \(value.texts) cannot be read back")
    return
  }
  Invariant.hold(again == value, "\(field.name): \(value) became \(again)")
}
