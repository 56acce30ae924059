import AccessPolicy
import COpenSSL

/// The times of a certificate, exact to the second (RFC 5280 §4.1.2.5).
enum CertificateTime {
  /// - Returns: seconds since the epoch, in the years 0 to 9999; nil where the time is not one.
  static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    var fields = unsafe tm()
    guard let time = unsafe time, unsafe ASN1_TIME_to_tm(time, &fields) == 1 else { return nil }
    let days = unsafe daysSinceEpoch(
      year: Int64(fields.tm_year) + 1900, month: Int64(fields.tm_mon) + 1, day: Int64(fields.tm_mday))
    return unsafe days * 86_400 + Int64(fields.tm_hour) * 3_600 + Int64(fields.tm_min) * 60
      + Int64(fields.tm_sec)
  }

  /// Clamped to what ``Timestamp`` can hold, so the year 9999 reads as the end of time.
  static func timestamp(_ time: UnsafePointer<ASN1_TIME>?) -> Timestamp? {
    unsafe seconds(time).map { Timestamp(seconds: $0) }
  }

  /// Days from 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that the leap
  /// day is the last of its year, and a 400-year era always has 146097 days.
  private static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
    let marchYear = month > 2 ? year : year - 1
    let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
