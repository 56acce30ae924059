import AccessPolicy
import FuzzSupport
import TLSEngine

/// Any bytes as a client's certificate: refused, or turned into facts that say exactly what it says,
/// and what OpenSSL itself prints of it.
@main
enum FuzzCertificate {
  static func main() {
    runFuzzer { input in
      guard let certificate = Certificate(der: Array(input)) else { return }
      let facts = PeerCertificate.facts(certificate)
      OpenSSLText.compare(Array(input), with: facts)
      for field in facts.fields { check(field, facts[field]) }
      for name in facts.unreadableNames {
        Invariant.hold(!name.place.isEmpty && !name.problem.isEmpty, "\(name) says nothing")
      }
      // What was derived from the same bytes is the same.
      Invariant.hold(PeerCertificate.facts(certificate) == facts, "facts differ from one reading to the next")
    }
  }
}

private func check(_ field: Field, _ value: FactValue?) {
  guard let value else { return }
  for text in value.texts {
    Invariant.hold(!DiagnosticInvariants.hasControl(text), "\(field.name) holds a control character: \(text)")
  }
  if field.isHexadecimal, case .text(let digits) = value {
    let isHexadecimal = digits.utf8.allSatisfy {
      (48...57).contains($0) || (97...102).contains($0) || $0 == 45
    }
    Invariant.hold(isHexadecimal, "\(field.name) is no hexadecimal number: \(digits)")
  }
  if case .texts(let texts) = value { Invariant.hold(!texts.isEmpty, "\(field.name) is an empty list") }
}
