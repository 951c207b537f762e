import jakarta.mail.Message;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Properties;

/** Sends one message with XOAUTH2: arguments PORT, MAILBOX, RECIPIENT; the token on stdin. */
public class SendMail {
    public static void main(String[] arguments) throws Exception {
        String token = new BufferedReader(new InputStreamReader(System.in)).readLine();
        Properties settings = new Properties();
        settings.put("mail.smtp.host", "localhost");
        settings.put("mail.smtp.port", arguments[0]);
        settings.put("mail.smtp.auth", "true");
        settings.put("mail.smtp.auth.mechanisms", "XOAUTH2");
        settings.put("mail.smtp.starttls.enable", "true");
        settings.put("mail.smtp.starttls.required", "true");
        settings.put("mail.smtp.ssl.checkserveridentity", "true");
        settings.put("mail.smtp.localhost", "sap.contoso.com");
        Session session = Session.getInstance(settings);
        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress(arguments[1]));
        message.setRecipient(Message.RecipientType.TO, new InternetAddress(arguments[2]));
        message.setSubject("From Java");
        message.setText("Hello");
        message.saveChanges();
        try (Transport transport = session.getTransport("smtp")) {
            transport.connect(arguments[1], token);
            transport.sendMessage(message, message.getAllRecipients());
        }
        System.out.println("sent");
    }
}
