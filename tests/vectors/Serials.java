// Writes down each certificate's issuer as Java does, and the serial number that the mainland gateway makes of it:
// java Serials.java FOLDER > FOLDER/serials.json. The first certificate of each file; of root.pem, every readable one.
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.MessageDigest;
import java.security.cert.*;
import java.util.*;
import java.util.regex.*;

class Serials {
    public static void main(String[] arguments) throws Exception {
        List<String> rows = new ArrayList<>();
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> folder = Files.newDirectoryStream(Path.of(arguments[0]), "*.pem")) {
            folder.forEach(files::add);
        }
        Collections.sort(files);
        for (Path file : files) {
            String name = file.getFileName().toString().replace(".pem", "");
            Matcher blocks = Pattern.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", Pattern.DOTALL)
                .matcher(Files.readString(file));
            List<String> one = new ArrayList<>();
            while (blocks.find() && (one.isEmpty() || name.equals("root"))) {
                one.add(row(blocks.group()));
            }
            rows.add(" " + text(name) + ": [" + String.join(", ", one) + "]");
        }
        System.out.write(("{\n" + String.join(",\n", rows) + "\n}\n").getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }

    static String row(String pem) throws Exception {
        X509Certificate read = (X509Certificate) CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)));
        String issuer = read.getIssuerX500Principal().getName();
        byte[] hash = MessageDigest.getInstance("MD5").digest((issuer + read.getSerialNumber()).getBytes(StandardCharsets.UTF_8));
        String serial = String.format("%032x", new BigInteger(1, hash));
        return "{\"issuer\": " + text(issuer) + ", \"algorithm\": " + text(read.getSigAlgOID()) + ", \"serial\": " + text(serial) + "}";
    }

    static String text(String value) {
        return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
